#include "server/tasks/shared/answer_budget.h"

#include "absl/strings/str_cat.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

absl::Status AnswerBudget::Add(size_t bytes, std::string_view field) {
  if (bytes > limit_ - used_) {
    return InputError(field,
                      absl::StrCat("asks for too large an answer: all "
                                   "results of a request may take about ",
                                   limit_, " bytes"));
  }
  used_ += bytes;
  return absl::OkStatus();
}

}  // namespace deberta::server
