#include "model/gemm/float_gemm.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/gemm/float_gemm.cc"
// See attention.cc.
#define HWY_DISABLED_TARGETS \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "model/gemm/prefetch.h"
#include "model/gemm/register_tile-inl.h"
#include "model/gemm/transpose-inl.h"
#include "model/gemm/unroll.h"

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kPassRows = kRegisterTileRows;
constexpr size_t kBlockColumns = kTileVectors * kLanes;
static_assert(Gemm::kColumnStep % kLanes == 0);
constexpr size_t kFloatsPerLine = 16;
// Sums run over so much of the depth, and then are added to those before: a
// long sum's rounding errors stay small, and its rows of x in L2.
constexpr size_t kDepthBlock = 768;
// Rows of the weight that the first pass asks for ahead of itself: what no
// earlier columns have asked for comes in time too.
constexpr size_t kRowsAhead = 16;

// Some rows, some of their depth and a block of columns.
struct RowTile {
  const float* x = nullptr;
  size_t x_stride = 0;
  size_t depth = 0;
  const float* weight = nullptr;  // [depth, columns]
  const float* bias = nullptr;    // with the last of the depth; else null
  float* y = nullptr;
  size_t y_stride = 0;
  bool first = true;  // of the depth: y has no sums yet
  // What is multiplied next; of each `passes` rows, number `pass` is asked for.
  const float* next = nullptr;
  size_t pass = 0;
  size_t passes = 1;
};

template <size_t kRows, size_t kVectors>
HWY_NOINLINE void MultiplyRowTile(const RowTile& tile) {
  constexpr size_t kColumns = kVectors * kLanes;
  const Floats d;
  RegisterTile<kRows, kVectors> sums;
  SetToZero<kRows, kVectors>(sums);
  const float* weight = tile.weight;
  size_t ask = tile.pass;
  for (size_t k = 0; k < tile.depth; ++k, weight += kColumns) {
    if (k == ask) {
      for (size_t c = 0; c < kColumns; c += kFloatsPerLine) {
        Prefetch<2>(tile.next, (k * kColumns + c) * sizeof(float));
      }
      ask += tile.passes;
    }
    if (tile.pass == 0) {
      for (size_t c = 0; c < kColumns; c += kFloatsPerLine) {
        Prefetch<3>(weight, (kRowsAhead * kColumns + c) * sizeof(float));
      }
    }
    AddOuterProduct<float>(tile.x + k, tile.x_stride, weight, sums);
  }
  DEBERTA_UNROLL
  for (size_t r = 0; r < kRows; ++r) {
    DEBERTA_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      float* const y = tile.y + r * tile.y_stride + v * kLanes;
      Vector sum = sums[r][v];
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
      return MultiplyRowTile<kPassRows, kVectors>(tile);
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

// A block of columns of all rows, whose weight and bias stand at `operands`.
void MultiplyBlock(const Gemm::Operands& operands, size_t in, size_t columns,
                   float* y, size_t y_stride) {
  const auto* const x = static_cast<const float*>(operands.x);
  const size_t passes = (operands.rows + kPassRows - 1) / kPassRows;
  // As many rows in each pass as can be.
  const size_t rows = (operands.rows + passes - 1) / passes;
  for (size_t k = 0; k < in; k += kDepthBlock) {
    const size_t depth = std::min(kDepthBlock, in - k);
    for (size_t pass = 0; pass < passes; ++pass) {
      const size_t first = pass * rows;
      MultiplyRows(columns / kLanes, std::min(rows, operands.rows - first),
                   {.x = x + first * in + k,
                    .x_stride = in,
                    .depth = depth,
                    .weight = operands.packed + k * columns,
                    .bias = k + depth == in ? operands.bias : nullptr,
                    .y = y + first * y_stride,
                    .y_stride = y_stride,
                    .first = k == 0,
                    .next = operands.packed + (k + depth) * columns,
                    .pass = pass,
                    .passes = passes});
    }
  }
}

// `sums`: [rows, shape.width], for what does not go to operands.y.
void MultiplyFloats(const GemmShape& shape, const Gemm::Operands& operands,
                    float* sums, Gemm::Consumer consume) {
  for (size_t column = 0; column < shape.width; column += kBlockColumns) {
    const size_t columns = std::min(kBlockColumns, shape.width - column);
    Gemm::Operands block = operands;
    block.packed += column * shape.in;
    block.bias += column;
    if (operands.y != nullptr) {
      MultiplyBlock(block, shape.in, columns, operands.y + column,
                    operands.y_stride);
    } else {
      MultiplyBlock(block, shape.in, columns, sums, columns);
      consume({column, columns, sums, columns});
    }
  }
}

void PackFloats(const GemmShape& shape, const float* row_major, float* packed) {
  for (size_t column = 0; column < shape.width; column += kBlockColumns) {
    const size_t columns = std::min(kBlockColumns, shape.width - column);
    Transpose<false>(row_major + column * shape.in, shape.in, columns, shape.in,
                     packed + column * shape.in, columns);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace deberta::model {

HWY_EXPORT(MultiplyFloats);
HWY_EXPORT(PackFloats);

std::shared_ptr<const Gemm> FloatGemm::Create(const GemmShape& shape) {
  if (shape.precision != Precision::kFp32) return nullptr;
  return std::shared_ptr<const Gemm>(new FloatGemm(shape));
}

size_t FloatGemm::packed_floats() const { return shape().in * shape().width; }

void FloatGemm::Pack(const void* row_major, float* packed) const {
  HWY_DYNAMIC_DISPATCH(PackFloats)
  (shape(), static_cast<const float*>(row_major), packed);
}

void FloatGemm::Run(const Operands& operands, ThreadScratch& scratch,
                    Consumer consume) const {
  HWY_DYNAMIC_DISPATCH(MultiplyFloats)
  (shape(), operands, scratch.floats.Reserve(kTileRows * shape().width),
   consume);
}

}  // namespace deberta::model

#endif  // HWY_ONCE
