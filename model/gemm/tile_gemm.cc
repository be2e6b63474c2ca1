#include "model/gemm/tile_gemm.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "model/gemm/bf16.h"
#include "model/gemm/prefetch.h"
#include "model/gemm/tile_multiply.h"
#include "model/runtime/isa.h"

namespace deberta::model {
namespace {

constexpr size_t kTileBytes = 1024;
constexpr size_t kRowBytes = 64;  // of a tile
constexpr size_t kRows = 16;
// Columns that are added up together.
constexpr size_t kBlockColumns = 2 * kRows;
// Bytes of a row of x that are multiplied before the next rows are: 32 columns
// of as much of the weight stay in L1.
constexpr size_t kDepthBytes = 1024;
// How far ahead of its use the weight is asked for.
constexpr size_t kAheadBytes = 8 * kTileBytes;

// Elements that share 32 bits of a tile of the weight.
size_t Group(Precision precision) {
  return precision == Precision::kInt8 ? 4 : 2;
}

// Row r of `row_major` [width, depth groups] is column r of the panel.
void PackTiles(const uint32_t* row_major, size_t width, size_t groups,
               uint32_t* packed) {
  for (size_t column = 0; column < width; column += kBlockColumns) {
    const size_t columns = std::min(kBlockColumns, width - column);
    for (size_t step = 0; step < groups; step += kRows) {
      for (size_t tile = 0; tile < columns; tile += kRows) {
        for (size_t g = step; g < step + kRows; ++g) {
          for (size_t c = column + tile; c < column + tile + kRows; ++c) {
            *packed++ = row_major[c * groups + g];
          }
        }
      }
    }
  }
}

#if defined(__x86_64__)

template <Precision kPrecision, int kSum, int kA, int kB>
void Multiply() {
  if constexpr (kPrecision == Precision::kInt8) {
    tile::MultiplyUnsignedBySigned<kSum, kA, kB>();
  } else {
    tile::MultiplyBf16<kSum, kA, kB>();
  }
}

// Up to 32 rows of x, some of their depth, and a block of columns.
struct Cell {
  const std::byte* x = nullptr;
  size_t row_bytes = 0;
  const std::byte* weight = nullptr;
  size_t steps = 0;
  float* sums = nullptr;  // [rows, kBlockColumns]
};

// kAhead: the weight comes from far, so it is asked for early.
template <Precision kPrecision, int kRowTiles, int kColumnTiles, bool kAhead>
void MultiplyCell(const Cell& cell, bool first) {
  constexpr size_t kStride = kBlockColumns * sizeof(float);
  float* const low = cell.sums;
  float* const high = cell.sums + kRows * kBlockColumns;
  if (first) {
    tile::Zero<0>();
    if constexpr (kColumnTiles > 1) tile::Zero<1>();
    if constexpr (kRowTiles > 1) tile::Zero<2>();
    if constexpr (kRowTiles > 1 && kColumnTiles > 1) tile::Zero<3>();
  } else {
    tile::Load<0>(low, kStride);
    if constexpr (kColumnTiles > 1) tile::Load<1>(low + kRows, kStride);
    if constexpr (kRowTiles > 1) tile::Load<2>(high, kStride);
    if constexpr (kRowTiles > 1 && kColumnTiles > 1) {
      tile::Load<3>(high + kRows, kStride);
    }
  }
  const std::byte* x = cell.x;
  const std::byte* weight = cell.weight;
  for (size_t step = 0; step < cell.steps; ++step) {
    if constexpr (kAhead) {
      for (size_t b = 0; b < kColumnTiles * kTileBytes; b += kRowBytes) {
        Prefetch<3>(weight, kAheadBytes + b);
      }
    }
    tile::Load<4>(x, cell.row_bytes);
    tile::Load<6>(weight, kRowBytes);
    Multiply<kPrecision, 0, 4, 6>();
    if constexpr (kColumnTiles > 1) {
      tile::Load<7>(weight + kTileBytes, kRowBytes);
      Multiply<kPrecision, 1, 4, 7>();
    }
    if constexpr (kRowTiles > 1) {
      tile::Load<5>(x + kRows * cell.row_bytes, cell.row_bytes);
      Multiply<kPrecision, 2, 5, 6>();
      if constexpr (kColumnTiles > 1) Multiply<kPrecision, 3, 5, 7>();
    }
    x += kRowBytes;
    weight += kColumnTiles * kTileBytes;
  }
  tile::Store<0>(low, kStride);
  if constexpr (kColumnTiles > 1) tile::Store<1>(low + kRows, kStride);
  if constexpr (kRowTiles > 1) tile::Store<2>(high, kStride);
  if constexpr (kRowTiles > 1 && kColumnTiles > 1) {
    tile::Store<3>(high + kRows, kStride);
  }
}

// A block of columns of all rows, into `sums`.
template <Precision kPrecision, int kColumnTiles>
void MultiplyBlock(const std::byte* x, size_t row_bytes, size_t rows,
                   const std::byte* weight, float* sums) {
  for (size_t depth = 0; depth < row_bytes; depth += kDepthBytes) {
    const size_t steps = std::min(kDepthBytes, row_bytes - depth) / kRowBytes;
    for (size_t r = 0; r < rows; r += 2 * kRows) {
      const Cell cell = {.x = x + r * row_bytes + depth,
                         .row_bytes = row_bytes,
                         .weight = weight,
                         .steps = steps,
                         .sums = sums + r * kBlockColumns};
      const bool first = depth == 0;
      if (rows - r <= kRows) {
        r == 0 ? MultiplyCell<kPrecision, 1, kColumnTiles, true>(cell, first)
               : MultiplyCell<kPrecision, 1, kColumnTiles, false>(cell, first);
      } else {
        r == 0 ? MultiplyCell<kPrecision, 2, kColumnTiles, true>(cell, first)
               : MultiplyCell<kPrecision, 2, kColumnTiles, false>(cell, first);
      }
    }
    weight += steps * kColumnTiles * kTileBytes;
  }
}

template <Precision kPrecision>
void MultiplyPanel(const GemmShape& shape, const std::byte* x, size_t row_bytes,
                   size_t rows, const std::byte* packed, float* sums,
                   Gemm::Consumer consume) {
  tile::Configure();
  for (size_t column = 0; column < shape.width; column += kBlockColumns) {
    const size_t columns = std::min(kBlockColumns, shape.width - column);
    if (columns == kBlockColumns) {
      MultiplyBlock<kPrecision, 2>(x, row_bytes, rows, packed, sums);
    } else {
      MultiplyBlock<kPrecision, 1>(x, row_bytes, rows, packed, sums);
    }
    packed += columns * row_bytes;
    consume({column, columns, sums, kBlockColumns});
  }
  tile::Release();
}

#endif

}  // namespace

std::shared_ptr<const Gemm> TileGemm::Create(const GemmShape& shape) {
  const size_t step = Group(shape.precision) * kRows;
  if (shape.precision == Precision::kFp32 || !HasTileProducts() ||
      shape.in % step != 0) {
    return nullptr;
  }
  return std::shared_ptr<const Gemm>(new TileGemm(shape));
}

TileGemm::TileGemm(const GemmShape& shape)
    : Gemm(shape),
      row_bytes_(shape.in * sizeof(uint32_t) / Group(shape.precision)) {}

size_t TileGemm::packed_floats() const {
  return shape().width * row_bytes_ / sizeof(float);
}

void TileGemm::Pack(const void* row_major, float* packed) const {
  std::vector<Bf16> rounded;
  if (shape().precision == Precision::kBf16) {
    rounded.resize(shape().width * shape().in);
    ToBf16({static_cast<const float*>(row_major), rounded.size()},
           rounded.data());
    row_major = rounded.data();
  }
  PackTiles(static_cast<const uint32_t*>(row_major), shape().width,
            row_bytes_ / sizeof(uint32_t), reinterpret_cast<uint32_t*>(packed));
}

void TileGemm::Run(const Operands& operands, ThreadScratch& scratch,
                   Consumer consume) const {
#if defined(__x86_64__)
  const auto run = shape().precision == Precision::kInt8
                       ? MultiplyPanel<Precision::kInt8>
                       : MultiplyPanel<Precision::kBf16>;
  run(shape(), static_cast<const std::byte*>(operands.x), row_bytes_,
      operands.rows, reinterpret_cast<const std::byte*>(operands.packed),
      scratch.floats.Reserve(kTileRows * kBlockColumns), consume);
#endif
}

}  // namespace deberta::model
