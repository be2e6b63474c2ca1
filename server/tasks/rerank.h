// Documents in the order of what a classification head of one label scores
// each of them beside a query: cross-encoders and reward models.

#ifndef SERVER_TASKS_RERANK_H_
#define SERVER_TASKS_RERANK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/shared/planned_task.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

struct RerankRequest {
  std::string query = {};
  std::vector<std::string> documents = {};
  int64_t top_k = 0;  // documents returned; 0: all
  bool raw_scores = false;
  LengthPolicy length_policy = LengthPolicy::kReject;
  int64_t stride = 0;  // overlap of windows, in tokens
};

// Of one document. Results are best first; ties keep the lower index first.
struct RerankResult {
  uint32_t index = 0;  // of the request's documents
  float score = 0;
  Coverage coverage = {};  // of the query and the document
};

// Each document is an input of the task; the results come with the last.
class RerankTask final : public RequestTask<RerankRequest, RerankResult> {
 public:
  // FailedPrecondition unless the model has one label.
  static absl::StatusOr<RerankTask> Create(Request request,
                                           const TaskModel& model);

 private:
  RerankTask(Request request, const TaskModel& model)
      : RequestTask(std::move(request), model, /*width=*/1) {}

  absl::Status AddDocuments();
  SequenceInput Reading(size_t input,
                        const tokenizer::Encoding& encoding) const override;
  absl::Status Take(const Part& part, SequenceOutput output) override;
  void AddResults();

  std::vector<float> logits_;  // of each document so far, of its best window
};
static_assert(Task<RerankTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_RERANK_H_
