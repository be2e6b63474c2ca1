// Messages of the Open Inference Protocol <-> those of the service's own
// methods. Pure functions.

#ifndef SERVER_INFERENCE_INFER_MESSAGES_H_
#define SERVER_INFERENCE_INFER_MESSAGES_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "deberta/v1/deberta.pb.h"
#include "inference/inference.pb.h"
#include "server/models/model_description.h"
#include "server/rpc/make_call.h"
#include "server/tasks/shared/task_kind.h"

namespace deberta::server {

// A ModelInfer request as one of the service's own, and what its response needs
// to know of it.
struct InferQuestion {
  TaskKind task = TaskKind::kClassify;
  std::string request = {};  // serialized
  std::string model_name = {};
  std::string model_version = {};
  std::string id = {};
  std::vector<std::string> outputs =
      {};  // wanted; empty: see MakeInferResponse()
  bool raw = false;
  bool all_labels = true;  // of each text are answered
};

Method MethodOf(TaskKind task);

// Below, `model` is the one that the request names; null if there is none, or
// none that its caller may use, which is for its method to tell.

// What is asked of the model's task "task" in its parameters, or of its first.
// The request is checked no further than its form. InputErrors name the tensor
// or parameter; NotFound for a version that is not served.
absl::StatusOr<InferQuestion> ReadInferRequest(
    inference::ModelInferRequest request, const ModelDescription* model);

// The response to `question` that says what `answer`, a serialized response of
// the task's method, does: the outputs that were asked for, else all tensors of
// numbers and labels that the task has, or "result" where it has none.
// An InputError for outputs that there are not.
absl::StatusOr<inference::ModelInferResponse> MakeInferResponse(
    const InferQuestion& question, std::string_view answer);

// NotFound unless `version` is "" or the model's.
absl::Status CheckVersion(const std::string& version,
                          const ModelDescription* model);

// "" without one.
std::string VersionOf(const ModelDescription* model);

// Any, without a model.
TaskKind FirstTaskOf(const ModelDescription* model);

// What the task, of that model, reads and answers.
inference::ModelMetadataResponse MakeMetadata(const v1::GetModelResponse& model,
                                              TaskKind task,
                                              const std::string& version);

}  // namespace deberta::server

#endif  // SERVER_INFERENCE_INFER_MESSAGES_H_
