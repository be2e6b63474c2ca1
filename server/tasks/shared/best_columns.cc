#include "server/tasks/shared/best_columns.h"

#include <algorithm>
#include <cmath>

#include "server/tasks/shared/scores.h"

namespace deberta::server {

void BestColumns::Take(std::span<const float> row, std::span<int32_t> columns,
                       std::span<float> scores,
                       std::vector<float>* scratch) const {
  const auto wrong = std::ranges::find_if(
      row, [](float value) { return !std::isfinite(value); });
  if (wrong != row.end()) {
    std::ranges::fill(columns, 0);
    std::ranges::fill(scores, *wrong);
    return;
  }
  scratch->assign(row.begin(), row.end());
  Softmax(*scratch);
  for (size_t i = 0; i < among.size(); ++i) {
    // Ascending, so that none is overwritten before it is read.
    (*scratch)[i] = (*scratch)[static_cast<size_t>(among[i])];
  }
  if (!among.empty()) scratch->resize(among.size());
  const std::vector<uint32_t> best = TopIndices(*scratch, count);
  for (size_t i = 0; i < count; ++i) {
    columns[i] = among.empty() ? static_cast<int32_t>(best[i]) : among[best[i]];
    scores[i] = (*scratch)[best[i]];
  }
}

}  // namespace deberta::server
