// What the results of one request may take together.

#ifndef SERVER_TASKS_SHARED_ANSWER_BUDGET_H_
#define SERVER_TASKS_SHARED_ANSWER_BUDGET_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace deberta::server {

// About what a piece of a result (a label, an entity) takes beside its text in
// the answer.
inline constexpr size_t kPieceBytes = 32;

class AnswerBudget {
 public:
  explicit AnswerBudget(size_t limit) : limit_(limit) {}

  // Counts bytes that the results take; an InputError about `field` when they
  // are more than the limit together.
  absl::Status Add(size_t bytes, std::string_view field);
  size_t used() const { return used_; }

 private:
  size_t limit_;
  size_t used_ = 0;
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_ANSWER_BUDGET_H_
