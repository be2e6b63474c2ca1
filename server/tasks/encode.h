// Hidden states of the bare encoder, pooled or one vector a token.

#ifndef SERVER_TASKS_ENCODE_H_
#define SERVER_TASKS_ENCODE_H_

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/task.h"

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

class EncodeTask {
 public:
  using Request = EncodeRequest;
  using Result = EncodeResult;

  static absl::StatusOr<EncodeTask> Create(Request request,
                                           const TaskModel& model);
  const std::vector<SequenceInput>& sequences() const { return sequences_; }
  std::vector<Coverage> coverage() const;
  absl::StatusOr<std::vector<Result>> Finish(
      std::span<const SequenceOutput> outputs) const;

 private:
  EncodeTask(Request request, const TaskModel& model)
      : request_(std::move(request)), model_(model) {}

  Request request_;
  TaskModel model_;
  std::vector<SequenceInput> sequences_;
  std::vector<Coverage> coverage_;
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_ENCODE_H_
