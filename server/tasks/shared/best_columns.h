// The likeliest columns of a row of logits: all that is kept of a row as wide as
// a vocabulary.

#ifndef SERVER_TASKS_SHARED_BEST_COLUMNS_H_
#define SERVER_TASKS_SHARED_BEST_COLUMNS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace deberta::server {

struct BestColumns {
  // Columns kept of a row, best first; at least 1, at most as many as there are
  // to choose from.
  size_t count = 1;
  // Those to choose from, distinct and ascending; empty: all.
  std::vector<int32_t> among = {};

  // `columns` [count] and their `scores` [count], of a softmax over the whole
  // row; among equals the lower column first. A row with a value that is not
  // finite has no scores: each is the first such value. `scratch` is any
  // vector, reused between rows.
  void Take(std::span<const float> row, std::span<int32_t> columns,
            std::span<float> scores, std::vector<float>* scratch) const;
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_BEST_COLUMNS_H_
