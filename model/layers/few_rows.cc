#include "model/layers/few_rows.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/layers/few_rows.cc"
// See attention.cc.
#define HWY_DISABLED_TARGETS \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#undef DEBERTA_UNROLL
#if defined(__clang__)
#define DEBERTA_UNROLL _Pragma("clang loop unroll(full)")
#else
#define DEBERTA_UNROLL _Pragma("GCC unroll 8")
#endif

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// At most what columns are a multiple of.
using Lanes = hn::CappedTag<float, 16>;
using LaneVector = hn::Vec<Lanes>;

constexpr size_t kLanes = HWY_MIN(HWY_LANES(float), 16);
constexpr size_t kTileRows = 6;
// Accumulators, a row of the weight and one broadcast fill the registers: 32
// of them from AVX-512 on, 16 before.
constexpr size_t kTileVectors = kLanes >= 16 ? 4 : 2;
constexpr size_t kFloatsPerLine = 16;
// Rows of the weight that the first pass asks for ahead of itself: what no
// earlier columns have asked for comes in time too.
constexpr size_t kRowsAhead = 16;

struct RowTile {
  const float* x = nullptr;
  size_t x_stride = 0;
  size_t depth = 0;               // of this block
  const float* weight = nullptr;  // rows `block` apart
  size_t block = 0;
  const float* bias = nullptr;  // of the last block; else null
  float* y = nullptr;
  size_t y_stride = 0;
  bool first = true;  // block: y has no sums yet
  // What is multiplied next; of each `passes` rows, number `pass` is asked for.
  const float* next = nullptr;
  size_t pass = 0;
  size_t passes = 1;
};

template <size_t kRows, size_t kVectors>
HWY_NOINLINE void MultiplyRowTile(const RowTile& tile) {
  const Lanes d;
  LaneVector sums[kRows][kVectors];
  DEBERTA_UNROLL
  for (size_t r = 0; r < kRows; ++r) {
    DEBERTA_UNROLL
    for (size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::Zero(d);
  }
  const float* weight = tile.weight;
  size_t ask = tile.pass;
  for (size_t k = 0; k < tile.depth; ++k, weight += tile.block) {
    if (k == ask) {
      for (size_t c = 0; c < kVectors * kLanes; c += kFloatsPerLine) {
        __builtin_prefetch(tile.next + k * tile.block + c, 0, 2);
      }
      ask += tile.passes;
    }
    if (tile.pass == 0) {
      for (size_t c = 0; c < kVectors * kLanes; c += kFloatsPerLine) {
        __builtin_prefetch(weight + kRowsAhead * tile.block + c, 0, 3);
      }
    }
    LaneVector row[kVectors];
    DEBERTA_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      row[v] = hn::LoadU(d, weight + v * kLanes);
    }
    DEBERTA_UNROLL
    for (size_t r = 0; r < kRows; ++r) {
      const LaneVector value = hn::Set(d, tile.x[r * tile.x_stride + k]);
      DEBERTA_UNROLL
      for (size_t v = 0; v < kVectors; ++v) {
        sums[r][v] = hn::MulAdd(value, row[v], sums[r][v]);
      }
    }
  }
  DEBERTA_UNROLL
  for (size_t r = 0; r < kRows; ++r) {
    DEBERTA_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      float* const y = tile.y + r * tile.y_stride + v * kLanes;
      LaneVector sum = sums[r][v];
      if (!tile.first) sum = hn::Add(sum, hn::LoadU(d, y));
      if (tile.bias != nullptr) {
        sum = hn::Add(sum, hn::LoadU(d, tile.bias + v * kLanes));
      }
      hn::StoreU(sum, d, y);
    }
  }
}

template <size_t kVectors>
void MultiplyRowsOf(size_t rows, const RowTile& tile) {
  switch (rows) {
    case 1:
      return MultiplyRowTile<1, kVectors>(tile);
    case 2:
      return MultiplyRowTile<2, kVectors>(tile);
    case 3:
      return MultiplyRowTile<3, kVectors>(tile);
    case 4:
      return MultiplyRowTile<4, kVectors>(tile);
    case 5:
      return MultiplyRowTile<5, kVectors>(tile);
    default:
      return MultiplyRowTile<kTileRows, kVectors>(tile);
  }
}

void MultiplyRows(size_t vectors, size_t rows, const RowTile& tile) {
  if constexpr (kTileVectors == 4) {
    if (vectors == 4) return MultiplyRowsOf<4>(rows, tile);
    if (vectors == 3) return MultiplyRowsOf<3>(rows, tile);
  }
  if (vectors == 2) return MultiplyRowsOf<2>(rows, tile);
  MultiplyRowsOf<1>(rows, tile);
}

void Multiply(const FewRows& product) {
  const size_t passes = (product.rows + kTileRows - 1) / kTileRows;
  // As many rows in each pass as can be.
  const size_t rows = (product.rows + passes - 1) / passes;
  const auto weight_of = [&](size_t column) {
    return product.weight + column / product.block * product.block_step +
           column % product.block;
  };
  for (size_t column = 0; column < product.columns;) {
    const size_t left = std::min(product.columns - column,
                                 product.block - column % product.block);
    const size_t vectors = std::min(kTileVectors, left / kLanes);
    const size_t next = column + vectors * kLanes;
    for (size_t k = 0; k < product.depth; k += product.depth_block) {
      const size_t depth = std::min(product.depth_block, product.depth - k);
      const bool last = k + depth == product.depth;
      for (size_t pass = 0; pass < passes; ++pass) {
        const size_t first = pass * rows;
        MultiplyRows(vectors, std::min(rows, product.rows - first),
                     {.x = product.x + first * product.depth + k,
                      .x_stride = product.depth,
                      .depth = depth,
                      .weight = weight_of(column) + k * product.block,
                      .block = product.block,
                      .bias = last ? product.bias + column : nullptr,
                      .y = product.y + first * product.columns + column,
                      .y_stride = product.columns,
                      .first = k == 0,
                      .next = weight_of(next) + k * product.block,
                      .pass = pass,
                      .passes = passes});
      }
    }
    column = next;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace deberta::model {

HWY_EXPORT(Multiply);

void MultiplyFewRows(const FewRows& product) {
  HWY_DYNAMIC_DISPATCH(Multiply)(product);
}

}  // namespace deberta::model

#endif  // HWY_ONCE
