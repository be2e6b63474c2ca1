// Messages of the Open Inference Protocol <-> those of the service's own
// methods. Pure functions.

#ifndef SERVER_INFERENCE_INFER_MESSAGES_H_
#define SERVER_INFERENCE_INFER_MESSAGES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "deberta/v1/deberta.pb.h"
#include "inference/inference.pb.h"
#include "server/models/catalog.h"
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

// What is asked of the model's task "task" in its parameters, or of its first.
// The request is checked no further than its form: whether the model is there
// and has the task is for its method to tell. InputErrors name the tensor or
// parameter; NotFound for a version that is not served.
absl::StatusOr<InferQuestion> ReadInferRequest(
    inference::ModelInferRequest request, const Catalog& catalog);

// The response to `question` that says what `answer`, a serialized response of
// the task's method, does: the outputs that were asked for, else all tensors of
// numbers and labels that the task has, or "result" where it has none.
// An InputError for outputs that there are not.
absl::StatusOr<inference::ModelInferResponse> MakeInferResponse(
    const InferQuestion& question, const std::string& answer);

// OK if `version` is "" or that of the model in the catalog; NotFound. Models
// that are not there are for their method to refuse.
absl::Status CheckVersion(const std::string& name, const std::string& version,
                          const Catalog& catalog);

// The version of the model in the catalog; "" without one.
std::string VersionOf(const std::string& name, const Catalog& catalog);

// The model's first task; any where it is not there.
TaskKind FirstTaskOf(const std::string& name, const Catalog& catalog);

// What the task, of that model, reads and answers.
inference::ModelMetadataResponse MakeMetadata(const v1::GetModelResponse& model,
                                              TaskKind task,
                                              const std::string& version);

}  // namespace deberta::server

#endif  // SERVER_INFERENCE_INFER_MESSAGES_H_
