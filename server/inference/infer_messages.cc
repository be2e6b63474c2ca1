#include "server/inference/infer_messages.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/inference/output_tensors.h"
#include "server/inference/request_fields.h"
#include "server/inference/tensors.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {
namespace {

constexpr char kTaskParameter[] = "task";
constexpr char kPlatform[] = "deberta";

// An empty request of the task's method.
std::unique_ptr<google::protobuf::Message> NewRequest(TaskKind task) {
  switch (task) {
    case TaskKind::kClassify:
      return std::make_unique<v1::ClassifyRequest>();
    case TaskKind::kTagTokens:
      return std::make_unique<v1::TagTokensRequest>();
    case TaskKind::kAnswerQuestion:
      return std::make_unique<v1::AnswerQuestionRequest>();
    case TaskKind::kFillMask:
      return std::make_unique<v1::FillMaskRequest>();
    case TaskKind::kZeroShot:
      return std::make_unique<v1::ClassifyZeroShotRequest>();
    case TaskKind::kEncode:
      return std::make_unique<v1::EncodeRequest>();
    case TaskKind::kExtractEntities:
      return std::make_unique<v1::ExtractEntitiesRequest>();
    case TaskKind::kRerank:
      return std::make_unique<v1::RerankRequest>();
    case TaskKind::kExtractStructured:
      return std::make_unique<v1::ExtractStructuredRequest>();
  }
  return nullptr;
}

absl::StatusOr<TaskKind> TaskOf(const inference::ModelInferRequest& request,
                                const ModelDescription* model) {
  const auto asked = request.parameters().find(kTaskParameter);
  if (asked == request.parameters().end()) return FirstTaskOf(model);
  std::vector<std::string> names;
  for (const TaskKind task : kTaskKinds) {
    names.emplace_back(TaskName(task));
    if (names.back() == asked->second.string_param()) return task;
  }
  return InputError("parameters[\"task\"]",
                    absl::StrCat("expected one of ", absl::StrJoin(names, ", "),
                                 ", as a text"));
}

// Whether the request asks for the best of the labels alone.
bool HasTopK(const google::protobuf::Message& request) {
  const auto* top_k = request.GetDescriptor()->FindFieldByName("top_k");
  return top_k != nullptr &&
         request.GetReflection()->GetInt32(request, top_k) != 0;
}

absl::Status CheckPlain(const inference::ModelInferRequest& request) {
  for (int i = 0; i < request.inputs_size(); ++i) {
    if (!request.inputs(i).parameters().empty()) {
      return InputError(absl::StrCat("inputs[", i, "].parameters"),
                        "expected none");
    }
  }
  for (int i = 0; i < request.outputs_size(); ++i) {
    if (!request.outputs(i).parameters().empty()) {
      return InputError(absl::StrCat("outputs[", i, "].parameters"),
                        "expected none");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckOutputs(const inference::ModelInferRequest& request,
                          TaskKind task) {
  const std::vector<std::string> names = OutputNames(task);
  for (int i = 0; i < request.outputs_size(); ++i) {
    if (std::ranges::find(names, request.outputs(i).name()) == names.end()) {
      return InputError(
          absl::StrCat("outputs[", i, "].name"),
          absl::StrCat("expected one of ", absl::StrJoin(names, ", ")));
    }
  }
  return absl::OkStatus();
}

}  // namespace

Method MethodOf(TaskKind task) {
  switch (task) {
    case TaskKind::kClassify:
      return Method::kClassify;
    case TaskKind::kTagTokens:
      return Method::kTagTokens;
    case TaskKind::kAnswerQuestion:
      return Method::kAnswerQuestion;
    case TaskKind::kFillMask:
      return Method::kFillMask;
    case TaskKind::kZeroShot:
      return Method::kClassifyZeroShot;
    case TaskKind::kEncode:
      return Method::kEncode;
    case TaskKind::kExtractEntities:
      return Method::kExtractEntities;
    case TaskKind::kRerank:
      return Method::kRerank;
    case TaskKind::kExtractStructured:
      return Method::kExtractStructured;
  }
  return Method::kClassify;
}

std::string VersionOf(const ModelDescription* model) {
  if (model == nullptr || model->version == 0) return "";
  return absl::StrCat(model->version);
}

absl::Status CheckVersion(const std::string& version,
                          const ModelDescription* model) {
  if (version.empty() || model == nullptr || version == VersionOf(model))
    return absl::OkStatus();
  return absl::NotFoundError("this version of the model is not served");
}

absl::StatusOr<InferQuestion> ReadInferRequest(
    inference::ModelInferRequest request, const ModelDescription* model) {
  if (absl::Status s = CheckVersion(request.model_version(), model); !s.ok()) {
    return s;
  }
  if (absl::Status s = CheckPlain(request); !s.ok()) return s;
  const absl::StatusOr<TaskKind> task = TaskOf(request, model);
  if (!task.ok()) return task.status();
  if (absl::Status s = CheckOutputs(request, *task); !s.ok()) return s;
  const bool raw = request.raw_input_contents_size() > 0;
  absl::StatusOr<std::vector<TextTensor>> tensors = TakeTextTensors(&request);
  if (!tensors.ok()) return tensors.status();

  const std::unique_ptr<google::protobuf::Message> asked = NewRequest(*task);
  for (const auto& [name, parameter] : request.parameters()) {
    if (name == kTaskParameter) continue;
    if (absl::Status s = SetParameter(name, parameter, asked.get()); !s.ok())
      return s;
  }
  if (absl::Status s = SetTexts(*std::move(tensors), asked.get()); !s.ok())
    return s;
  asked->GetReflection()->SetString(
      asked.get(), asked->GetDescriptor()->FindFieldByName("model"),
      request.model_name());
  InferQuestion question = {.task = *task,
                            .request = asked->SerializeAsString(),
                            .model_name = request.model_name(),
                            .model_version = VersionOf(model),
                            .id = request.id(),
                            .outputs = {},
                            .raw = raw,
                            .all_labels = !HasTopK(*asked)};
  for (const auto& output : request.outputs())
    question.outputs.push_back(output.name());
  return question;
}

absl::StatusOr<inference::ModelInferResponse> MakeInferResponse(
    const InferQuestion& question, std::string_view answer) {
  absl::StatusOr<std::vector<Tensor>> tensors =
      TensorsOf(question.task, answer, question.outputs, question.all_labels);
  if (!tensors.ok()) return tensors.status();
  inference::ModelInferResponse response;
  response.set_model_name(question.model_name);
  response.set_model_version(question.model_version);
  response.set_id(question.id);
  for (Tensor& tensor : *tensors)
    AddTensor(std::move(tensor), question.raw, &response);
  return response;
}

TaskKind FirstTaskOf(const ModelDescription* model) {
  return model == nullptr ? TaskKind::kClassify : model->tasks.front();
}

inference::ModelMetadataResponse MakeMetadata(const v1::GetModelResponse& model,
                                              TaskKind task,
                                              const std::string& version) {
  inference::ModelMetadataResponse metadata;
  metadata.set_name(model.model().name());
  metadata.set_platform(kPlatform);
  if (!version.empty()) metadata.add_versions(version);
  for (const std::string& name :
       TensorNames(*NewRequest(task)->GetDescriptor())) {
    auto* input = metadata.add_inputs();
    input->set_name(name);
    input->set_datatype("BYTES");
    input->add_shape(-1);
  }
  DescribeOutputs(task, model, &metadata);
  return metadata;
}

}  // namespace deberta::server
