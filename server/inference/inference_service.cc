#include "server/inference/inference_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/inference/infer_messages.h"

namespace deberta::server {
namespace {

// A message that its shape has been read of.
template <typename Message>
absl::StatusOr<Message> Parse(std::string_view bytes) {
  Message message;
  if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return message;
  return absl::InvalidArgumentError(absl::StrCat(
      "the request is no ", message.GetDescriptor()->full_name(), " message"));
}

// Null where there is none that the caller may use.
const ModelDescription* Describe(const std::string& name,
                                 const Catalog& catalog, const Caller& caller) {
  const absl::StatusOr<size_t> found = FindModel(catalog, caller, name);
  return found.ok() ? &catalog.models()[*found]->description : nullptr;
}

std::string GetModelRequest(const std::string& name) {
  v1::GetModelRequest request;
  request.set_model(name);
  return request.SerializeAsString();
}

std::string Ready(bool ready) {
  inference::ModelReadyResponse response;
  response.set_ready(ready);
  return response.SerializeAsString();
}

absl::StatusOr<Translation> TranslateReady(std::string_view bytes,
                                           const Catalog& catalog,
                                           const Caller& caller) {
  const auto request = Parse<inference::ModelReadyRequest>(bytes);
  if (!request.ok()) return request.status();
  const bool served = CheckVersion(request->version(),
                                   Describe(request->name(), catalog, caller))
                          .ok();
  return Translation{
      .method = Method::kGetModel,
      .request = GetModelRequest(request->name()),
      .answer = [served](std::string_view) -> absl::StatusOr<std::string> {
        return Ready(served);
      },
      .not_found = Ready(false)};
}

absl::StatusOr<Translation> TranslateMetadata(std::string_view bytes,
                                              const Catalog& catalog,
                                              const Caller& caller) {
  const auto request = Parse<inference::ModelMetadataRequest>(bytes);
  if (!request.ok()) return request.status();
  const ModelDescription* model = Describe(request->name(), catalog, caller);
  if (absl::Status s = CheckVersion(request->version(), model); !s.ok())
    return s;
  return Translation{
      .method = Method::kGetModel,
      .request = GetModelRequest(request->name()),
      .answer = [task = FirstTaskOf(model), version = VersionOf(model)](
                    std::string_view answer) -> absl::StatusOr<std::string> {
        const auto told = Parse<v1::GetModelResponse>(answer);
        if (!told.ok()) return told.status();
        return MakeMetadata(*told, task, version).SerializeAsString();
      }};
}

absl::StatusOr<Translation> TranslateInfer(std::string_view bytes,
                                           const Catalog& catalog,
                                           const Caller& caller) {
  auto request = Parse<inference::ModelInferRequest>(bytes);
  if (!request.ok()) return request.status();
  const ModelDescription* model =
      Describe(request->model_name(), catalog, caller);
  absl::StatusOr<InferQuestion> question =
      ReadInferRequest(*std::move(request), model);
  if (!question.ok()) return question.status();
  Translation translation = {.method = MethodOf(question->task),
                             .request = std::exchange(question->request, ""),
                             .answer = nullptr};
  translation.answer =
      [question = *std::move(question)](
          std::string_view answer) -> absl::StatusOr<std::string> {
    const auto response = MakeInferResponse(question, answer);
    if (!response.ok()) return response.status();
    return response->SerializeAsString();
  };
  return translation;
}

grpc::ServerUnaryReactor* Done(grpc::CallbackServerContext* context) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace

InferenceService::InferenceService(std::string version,
                                   server::Service* service)
    : version_(std::move(version)),
      service_(*service),
      ready_{inference::ModelReadyRequest::descriptor(), TranslateReady},
      metadata_{inference::ModelMetadataRequest::descriptor(),
                TranslateMetadata},
      infer_{inference::ModelInferRequest::descriptor(), TranslateInfer} {}

grpc::ServerUnaryReactor* InferenceService::ServerLive(
    grpc::CallbackServerContext* context, const inference::ServerLiveRequest*,
    inference::ServerLiveResponse* response) {
  response->set_live(true);
  return Done(context);
}

grpc::ServerUnaryReactor* InferenceService::ServerReady(
    grpc::CallbackServerContext* context, const inference::ServerReadyRequest*,
    inference::ServerReadyResponse* response) {
  response->set_ready(service_.open());
  return Done(context);
}

grpc::ServerUnaryReactor* InferenceService::ServerMetadata(
    grpc::CallbackServerContext* context,
    const inference::ServerMetadataRequest*,
    inference::ServerMetadataResponse* response) {
  response->set_name("deberta-server");
  response->set_version(version_);
  return Done(context);
}

grpc::ServerUnaryReactor* InferenceService::ModelReady(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Start(&ready_, context, request, response);
}

grpc::ServerUnaryReactor* InferenceService::ModelMetadata(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Start(&metadata_, context, request, response);
}

grpc::ServerUnaryReactor* InferenceService::ModelInfer(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Start(&infer_, context, request, response);
}

grpc::ServerUnaryReactor* InferenceService::Start(
    const Translator* translator, grpc::CallbackServerContext* context,
    const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return InferenceCall::Start(translator, context, request, response,
                              &service_.environment(), &service_.unsent());
}

}  // namespace deberta::server
