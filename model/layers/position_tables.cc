#include "model/layers/position_tables.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "model/gemm/bf16.h"

namespace deberta::model {
namespace {

constexpr size_t kFloatsPerLine = PositionTables::kSlack;

// An odd number of cache lines, so that rows do not fall on each other in L1.
size_t TableStride(size_t columns) {
  const size_t lines = (columns + kFloatsPerLine - 1) / kFloatsPerLine;
  return (lines | 1) * kFloatsPerLine;
}

}  // namespace

size_t PositionTables::AlignedReach(size_t reach) {
  return reach / kFloatsPerLine * kFloatsPerLine + kFloatsPerLine - 1;
}

PositionTables::PositionTables(std::span<const float> projected, size_t heads,
                               size_t head_size,
                               const RelativePosition& positions, size_t reach,
                               bool key_minus_query, Precision precision,
                               ThreadPool& pool)
    : cells_(precision == Precision::kBf16 ? head_size / 2 : head_size),
      stride_(TableStride(2 * AlignedReach(reach) + 1 + 2 * kSlack)),
      reach_(AlignedReach(reach)) {
  const size_t columns = 2 * reach_ + 1;
  std::vector<size_t> rows(columns);
  const auto last = static_cast<int64_t>(reach);
  for (size_t c = 0; c < columns; ++c) {
    const int64_t offset = std::clamp(
        static_cast<int64_t>(c) - static_cast<int64_t>(reach_), -last, last);
    rows[c] =
        static_cast<size_t>(positions.Row(key_minus_query ? -offset : offset));
  }
  std::vector<Bf16> rounded;
  if (precision == Precision::kBf16) {
    rounded.resize(projected.size());
    ToBf16(projected, rounded.data());
  }
  float* values = values_.Reserve(heads * cells_ * stride_);
  const size_t width = heads * head_size;
  pool.ParallelFor(heads * cells_, [&](size_t cell, int) {
    float* to = values + cell * stride_ + kSlack;
    for (size_t c = 0; c < columns; ++c) {
      if (precision == Precision::kBf16) {
        std::memcpy(to + c, rounded.data() + rows[c] * width + 2 * cell,
                    sizeof(float));
      } else {
        to[c] = projected[rows[c] * width + cell];
      }
    }
  });
}

PositionTable PositionTables::head(size_t head) const {
  if (values_.get() == nullptr) return {};
  return {values_.get() + head * cells_ * stride_ + kSlack, stride_, reach_};
}

}  // namespace deberta::model
