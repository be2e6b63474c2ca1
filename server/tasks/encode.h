// Hidden states of the bare encoder, pooled or one vector a token.

#ifndef SERVER_TASKS_ENCODE_H_
#define SERVER_TASKS_ENCODE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/shared/planned_task.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

struct EncodeRequest {
  enum class Pooling { kCls, kMean, kNone };
  std::vector<TextInput> inputs = {};
  Pooling pooling = Pooling::kCls;
  bool normalize = false;  // L2 norm of each vector is 1
  LengthPolicy length_policy = LengthPolicy::kReject;  // kWindow is refused
};

struct EncodeResult {
  std::vector<std::vector<float>> vectors = {};
  std::vector<std::string> tokens = {};  // vocabulary strings, with kNone
  Coverage coverage = {};
};

class EncodeTask final : public RequestTask<EncodeRequest, EncodeResult> {
 public:
  static absl::StatusOr<EncodeTask> Create(Request request,
                                           const TaskModel& model);

 private:
  EncodeTask(Request request, const TaskModel& model);

  SequenceInput Reading(const tokenizer::Encoding& encoding) const override;
  absl::Status Take(const Part& part, SequenceOutput output) override;
  absl::Status CheckAnswer();
};
static_assert(Task<EncodeTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_ENCODE_H_
