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
  // kModel: the model's own, [CLS] where it has none.
  enum class Pooling { kModel, kCls, kMean, kNone };
  std::vector<TextInput> inputs = {};
  Pooling pooling = Pooling::kModel;
  // 0 the embeddings, negative from the last, which is -1; empty: the last.
  std::vector<int32_t> layers = {};
  bool normalize = false;  // L2 norm of each vector is 1
  LengthPolicy length_policy = LengthPolicy::kReject;  // kWindow is refused
};

struct EncodeResult {
  // Layer by layer, in the order of the request's.
  std::vector<std::vector<float>> vectors = {};
  std::vector<std::string> tokens = {};  // vocabulary strings, with kNone
  Coverage coverage = {};
};

class EncodeTask final : public RequestTask<EncodeRequest, EncodeResult> {
 public:
  static absl::StatusOr<EncodeTask> Create(Request request,
                                           const TaskModel& model);

 private:
  // `layers`: from the first, of the request's.
  EncodeTask(Request request, std::vector<uint32_t> layers,
             const TaskModel& model);

  SequenceInput Reading(size_t input,
                        const tokenizer::Encoding& encoding) const override;
  absl::Status Take(const Part& part, SequenceOutput output) override;
  absl::Status CheckAnswer();
  // Those of one layer's hidden states, [rows, width] with `output`'s width.
  std::vector<std::vector<float>> VectorsOf(const SequenceOutput& output) const;

  std::vector<uint32_t> layers_;  // empty: the last
};
static_assert(Task<EncodeTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_ENCODE_H_
