// The vectorised part of attention.cc, compiled once per instruction set.
//
// With L keys and a strip of queries i0 <= i < i0 + n, all matrices row-major:
//
//   1. c2p. For six query rows the table columns of all keys lie within one
//      window of L + 5 columns, so Q_i . PK is a plain product of six rows with
//      that window. Row r of the result starts 5 - r columns late; storing it
//      that much to the left makes it scores [query, key].
//   2. p2c. The same with six keys and n + 5 columns of PQ gives [key, query],
//      which is transposed onto the scores.
//   3. c2c. The product Q K^T starts its accumulators from the scores.
//   4. Softmax of each row, then P V, divided by the row's sum at the end.
//
// The matrices that enter a product are made of cells (see HeadScratch), so
// that fp32 and bf16 share everything but the product of two cells.
//
// Rows beyond the strip and columns beyond L are computed on whatever stands
// there and never read, so every row goes through the same instructions
// wherever it stands: results do not depend on the strip.

#if defined(MODEL_LAYERS_ATTENTION_KERNEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MODEL_LAYERS_ATTENTION_KERNEL_INL_H_
#undef MODEL_LAYERS_ATTENTION_KERNEL_INL_H_
#else
#define MODEL_LAYERS_ATTENTION_KERNEL_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "model/gemm/bf16-inl.h"
#include "model/gemm/transpose-inl.h"
#include "model/layers/attention_head.h"
#include "model/layers/attention_product-inl.h"
#include "model/layers/attention_softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t Tiles(size_t rows) {
  return (rows + kTileRows - 1) / kTileRows;
}

// Scores of queries [i0, i0 + n) against all keys, into scratch.scores.
template <typename T>
void ScoreStrip(const AttentionHead<T>& head, size_t i0, size_t n,
                const HeadScratch& scratch) {
  constexpr size_t kSkew = kTileRows - 1;
  const size_t length = head.length;
  const size_t depth = head.head_size * sizeof(T) / sizeof(float);
  const size_t score_stride = scratch.score_stride;
  if (head.c2p.values != nullptr) {
    // Column reach + key - query, of key 0 and the tile's last query.
    const Operands window = {scratch.queries, scratch.query_stride,
                             head.c2p.values + head.c2p.reach - i0 - kSkew,
                             head.c2p.stride, depth};
    Product<T, false>(window, Tiles(n), length + kSkew, kTileRows,
                      scratch.scores - kSkew, score_stride, score_stride + 1);
  } else {
    std::memset(scratch.scores, 0,
                Tiles(n) * kTileRows * score_stride * sizeof(float));
  }
  if (head.p2c.values != nullptr) {
    // Column reach + query - key, of query i0 and the tile's last key.
    const Operands window = {scratch.keys, scratch.key_stride,
                             head.p2c.values + head.p2c.reach + i0 - kSkew,
                             head.p2c.stride, depth};
    Product<T, false>(window, Tiles(length), n + kSkew, kTileRows,
                      scratch.by_key - kSkew, scratch.by_key_stride,
                      scratch.by_key_stride + 1);
    Transpose<true>(scratch.by_key, scratch.by_key_stride, (length + 3) / 4 * 4,
                    (n + kLanes - 1) / kLanes * kLanes, scratch.scores,
                    score_stride);
  }
  const Operands content = {scratch.queries, scratch.query_stride, scratch.keys,
                            scratch.key_stride, depth};
  Product<T, true>(content, Tiles(n), length, 0, scratch.scores, score_stride,
                   score_stride);
}

HWY_INLINE void StoreRow(const float* from, size_t n, float* to) {
  std::memcpy(to, from, n * sizeof(float));
}

HWY_INLINE void StoreRow(const float* from, size_t n, Bf16* to) {
  RowToBf16(from, n, to);
}

// softmax(scores) V of `n` rows, to rows of `context`.
template <typename T>
void ContextStrip(const AttentionHead<T>& head, size_t n,
                  const HeadScratch& scratch, T* context) {
  const size_t width = scratch.value_stride;
  const size_t depth =
      (head.length * sizeof(T) + sizeof(float) - 1) / sizeof(float);
  for (size_t tile = 0; tile < n; tile += kTileRows) {
    const size_t rows = std::min(kTileRows, n - tile);
    float* scores = scratch.scores + tile * scratch.score_stride;
    float factors[kTileRows] = {};
    for (size_t r = 0; r < rows; ++r) {
      factors[r] = SoftmaxRow<T>(scores + r * scratch.score_stride, head.length,
                                 head.scale);
    }
    for (size_t c = 0; c < width; c += kTileVectors * kLanes) {
      ContextTileOf<T>(
          std::min(kTileVectors, (width - c) / kLanes),
          {scores, scratch.score_stride, scratch.values + c, width, depth},
          factors, scratch.context + c, width);
    }
    for (size_t r = 0; r < rows; ++r) {
      StoreRow(scratch.context + r * width, head.head_size,
               context + (tile + r) * head.context_stride);
    }
  }
}

void PackValues(const AttentionHead<float>& head, const HeadScratch& scratch) {
  for (size_t j = 0; j < head.length; ++j) {
    float* row = scratch.values + j * scratch.value_stride;
    std::memcpy(row, head.values + j * head.row_stride,
                head.head_size * sizeof(float));
    std::fill(row + head.head_size, row + scratch.value_stride, 0.0f);
  }
}

// Pairs of rows; zeros stand beside the last of an odd number.
void PackValues(const AttentionHead<Bf16>& head, const HeadScratch& scratch) {
  for (size_t j = 0; j < head.length; j += 2) {
    const Bf16* even = head.values + j * head.row_stride;
    const Bf16* odd = j + 1 < head.length ? even + head.row_stride : nullptr;
    Bf16* to =
        reinterpret_cast<Bf16*>(scratch.values + j / 2 * scratch.value_stride);
    for (size_t k = 0; k < head.head_size; ++k) {
      to[2 * k] = even[k];
      to[2 * k + 1] = odd == nullptr ? Bf16() : odd[k];
    }
    std::fill(to + 2 * head.head_size, to + 2 * scratch.value_stride, Bf16());
  }
}

// Rows of `head_size` elements to columns of cells.
template <typename T>
void TransposeCells(const T* from, size_t row_stride, size_t rows,
                    size_t head_size, float* to, size_t stride) {
  constexpr size_t kElements = sizeof(float) / sizeof(T);
  Transpose<false>(reinterpret_cast<const float*>(from), row_stride / kElements,
                   rows, head_size / kElements, to, stride);
}

template <typename T>
void AttendHead(const AttentionHead<T>& head, const HeadScratch& scratch) {
  TransposeCells(head.keys, head.row_stride, head.length, head.head_size,
                 scratch.keys, scratch.key_stride);
  PackValues(head, scratch);
  for (const AttentionPlan::Run& run : head.runs) {
    for (size_t done = 0; done < run.count; done += HeadScratch::kStripRows) {
      const size_t i0 = run.first + done;
      const size_t n =
          std::min<size_t>(HeadScratch::kStripRows, run.count - done);
      TransposeCells(head.queries + i0 * head.row_stride, head.row_stride, n,
                     head.head_size, scratch.queries, scratch.query_stride);
      ScoreStrip(head, i0, n, scratch);
      ContextStrip(head, n, scratch,
                   head.context + (run.output + done) * head.context_stride);
    }
  }
}

// One head of one sequence.
void AttendFloat(const AttentionHead<float>& head, const HeadScratch& scratch) {
  AttendHead(head, scratch);
}

void AttendBf16(const AttentionHead<Bf16>& head, const HeadScratch& scratch) {
  AttendHead(head, scratch);
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#endif  // MODEL_LAYERS_ATTENTION_KERNEL_INL_H_
