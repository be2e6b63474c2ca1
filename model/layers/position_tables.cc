#include "model/layers/position_tables.h"

#include <cstdint>
#include <vector>

namespace deberta::model {
namespace {

constexpr size_t kFloatsPerLine = 16;

// An odd number of cache lines, so that rows do not fall on each other in L1.
size_t TableStride(size_t columns) {
  const size_t lines = (columns + kFloatsPerLine - 1) / kFloatsPerLine;
  return (lines | 1) * kFloatsPerLine;
}

}  // namespace

PositionTables::PositionTables(std::span<const float> projected, size_t heads,
                               size_t head_size,
                               const RelativePosition& positions, size_t reach,
                               bool key_minus_query, float factor,
                               ThreadPool& pool)
    : head_size_(head_size),
      stride_(TableStride(2 * reach + 1 + 2 * kSlack)),
      reach_(reach) {
  const size_t columns = 2 * reach + 1;
  std::vector<size_t> rows(columns);
  for (size_t c = 0; c < columns; ++c) {
    const int64_t offset =
        static_cast<int64_t>(c) - static_cast<int64_t>(reach);
    rows[c] =
        static_cast<size_t>(positions.Row(key_minus_query ? -offset : offset));
  }
  float* values = values_.Reserve(heads * head_size * stride_);
  pool.ParallelFor(heads * head_size, [&](size_t channel, int) {
    for (size_t c = 0; c < columns; ++c) {
      values[channel * stride_ + kSlack + c] =
          factor * projected[rows[c] * heads * head_size + channel];
    }
  });
}

PositionTable PositionTables::head(size_t head) const {
  if (values_.get() == nullptr) return {};
  return {values_.get() + head * head_size_ * stride_ + kSlack, stride_,
          reach_};
}

}  // namespace deberta::model
