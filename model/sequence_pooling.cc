#include "model/sequence_pooling.h"

#include <algorithm>
#include <numeric>

namespace deberta::model {
namespace {

uint32_t FirstMarker(const RaggedBatch& batch, uint32_t begin, uint32_t end,
                     int32_t marker) {
  const auto first = batch.ids.begin() + begin;
  const auto found = std::find(first, batch.ids.begin() + end, marker);
  return found == batch.ids.begin() + end
             ? begin
             : begin + static_cast<uint32_t>(found - first);
}

}  // namespace

std::vector<std::vector<uint32_t>> PooledRows(const RaggedBatch& batch,
                                              SequencePooling pooling,
                                              int32_t marker) {
  std::vector<std::vector<uint32_t>> pooled;
  pooled.reserve(batch.logit_rows.size());
  for (const uint32_t row : batch.logit_rows) {
    const size_t sequence = batch.SequenceOf(row);
    const uint32_t begin = batch.starts[sequence];
    const uint32_t end = batch.starts[sequence + 1];
    std::vector<uint32_t>& rows = pooled.emplace_back();
    switch (pooling) {
      case SequencePooling::kFirst:
        rows = {begin};
        break;
      case SequencePooling::kLast:
        rows = {end - 1};
        break;
      case SequencePooling::kMarker:
        rows = {FirstMarker(batch, begin, end, marker)};
        break;
      case SequencePooling::kMean:
      case SequencePooling::kMax:
        rows.resize(end - begin);
        std::iota(rows.begin(), rows.end(), begin);
        break;
    }
  }
  return pooled;
}

void PoolRows(const std::vector<uint32_t>& rows, SequencePooling pooling,
              const std::function<const float*(uint32_t)>& row_at, size_t width,
              float* to) {
  if (pooling == SequencePooling::kMean) {
    std::vector<double> sums(width);
    for (const uint32_t row : rows) {
      const float* values = row_at(row);
      for (size_t i = 0; i < width; ++i)
        sums[i] += static_cast<double>(values[i]);
    }
    for (size_t i = 0; i < width; ++i) {
      to[i] = static_cast<float>(sums[i] / static_cast<double>(rows.size()));
    }
    return;
  }
  std::copy_n(row_at(rows.front()), width, to);
  for (size_t r = 1; r < rows.size(); ++r) {
    const float* values = row_at(rows[r]);
    for (size_t i = 0; i < width; ++i) to[i] = std::max(to[i], values[i]);
  }
}

}  // namespace deberta::model
