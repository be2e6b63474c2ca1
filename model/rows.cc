#include "model/rows.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace deberta::model {

size_t PlaceOf(std::span<const uint32_t> rows, uint32_t row) {
  if (rows.empty()) return row;
  return static_cast<size_t>(std::ranges::lower_bound(rows, row) -
                             rows.begin());
}

std::vector<uint32_t> SortedUnique(std::vector<uint32_t> rows) {
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

std::vector<uint32_t> FirstRows(const RaggedBatch& batch) {
  std::vector<uint32_t> rows;
  rows.reserve(batch.logit_rows.size());
  for (const uint32_t row : batch.logit_rows) {
    rows.push_back(batch.starts[batch.SequenceOf(row)]);
  }
  return rows;
}

void Gather(const float* hidden, std::span<const uint32_t> rows,
            std::span<const uint32_t> wanted, size_t width, float* to) {
  for (const uint32_t row : wanted) {
    to = std::copy_n(hidden + PlaceOf(rows, row) * width, width, to);
  }
}

void GatherAdd(const float* hidden, std::span<const uint32_t> rows,
               std::span<const uint32_t> wanted, size_t width, float* to) {
  for (const uint32_t row : wanted) {
    to = std::transform(to, to + width, hidden + PlaceOf(rows, row) * width, to,
                        std::plus<>());
  }
}

}  // namespace deberta::model
