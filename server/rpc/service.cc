#include "server/rpc/service.h"

#include "server/rpc/convert.h"
#include "server/rpc/status.h"
#include "server/rpc/task_call.h"
#include "server/tasks/answer_question.h"
#include "server/tasks/classify.h"
#include "server/tasks/encode.h"
#include "server/tasks/fill_mask.h"
#include "server/tasks/tag_tokens.h"
#include "server/tasks/tokenize.h"
#include "server/tasks/zero_shot.h"

namespace deberta::server {
namespace {

template <TaskKind kKind, Task T, typename Request, typename Response>
grpc::ServerUnaryReactor* StartTask(const grpc::CallbackServerContext& context,
                                    const Request& request, Response* response,
                                    CallGate* gate,
                                    const Service::Options& options) {
  auto* call = new TaskCall<kKind, T, Request, Response>(
      context, request, response, gate, options.max_call_time,
      &options.observer);
  call->Start();
  return call;
}

grpc::ServerUnaryReactor* Answered(grpc::CallbackServerContext* context,
                                   const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

// A call that is answered where it is made.
template <typename Answer>
grpc::ServerUnaryReactor* AnswerInline(grpc::CallbackServerContext* context,
                                       CallGate* gate, Answer answer) {
  CallGate::Backend backend;
  absl::Status status = gate->Enter(&backend);
  if (status.ok()) {
    status = answer(*backend.catalog);
    gate->Answered();
    gate->Leave();
  }
  return Answered(context, status);
}

absl::Status TokenizeInputs(const Catalog& catalog,
                            const v1::TokenizeRequest& request,
                            v1::TokenizeResponse* response) {
  absl::StatusOr<size_t> index = catalog.Find(request.model());
  if (!index.ok()) return index.status();
  const ServedModel& model = catalog.models()[*index];
  absl::StatusOr<TokenizeRequest> plain = FromProto(request);
  if (!plain.ok()) return plain.status();
  absl::StatusOr<std::vector<TokenizeResult>> results =
      Tokenize(*plain, *model.task_model.tokenizer);
  if (!results.ok()) return results.status();
  for (const TokenizeResult& result : *results)
    ToProto(result, response->add_results());
  ToProto(model, response->mutable_model());
  return absl::OkStatus();
}

}  // namespace

bool Service::Drain(absl::Time deadline) {
  gate_.Close();
  return gate_.WaitUntilEmpty(deadline);
}

grpc::ServerUnaryReactor* Service::Classify(
    grpc::CallbackServerContext* context, const v1::ClassifyRequest* request,
    v1::ClassifyResponse* response) {
  return StartTask<TaskKind::kClassify, ClassifyTask>(
      *context, *request, response, &gate_, options_);
}

grpc::ServerUnaryReactor* Service::TagTokens(
    grpc::CallbackServerContext* context, const v1::TagTokensRequest* request,
    v1::TagTokensResponse* response) {
  return StartTask<TaskKind::kTagTokens, TagTokensTask>(
      *context, *request, response, &gate_, options_);
}

grpc::ServerUnaryReactor* Service::AnswerQuestion(
    grpc::CallbackServerContext* context,
    const v1::AnswerQuestionRequest* request,
    v1::AnswerQuestionResponse* response) {
  return StartTask<TaskKind::kAnswerQuestion, AnswerQuestionTask>(
      *context, *request, response, &gate_, options_);
}

grpc::ServerUnaryReactor* Service::FillMask(
    grpc::CallbackServerContext* context, const v1::FillMaskRequest* request,
    v1::FillMaskResponse* response) {
  return StartTask<TaskKind::kFillMask, FillMaskTask>(
      *context, *request, response, &gate_, options_);
}

grpc::ServerUnaryReactor* Service::ClassifyZeroShot(
    grpc::CallbackServerContext* context,
    const v1::ClassifyZeroShotRequest* request,
    v1::ClassifyZeroShotResponse* response) {
  return StartTask<TaskKind::kZeroShot, ZeroShotTask>(
      *context, *request, response, &gate_, options_);
}

grpc::ServerUnaryReactor* Service::Encode(grpc::CallbackServerContext* context,
                                          const v1::EncodeRequest* request,
                                          v1::EncodeResponse* response) {
  return StartTask<TaskKind::kEncode, EncodeTask>(*context, *request, response,
                                                  &gate_, options_);
}

grpc::ServerUnaryReactor* Service::Tokenize(
    grpc::CallbackServerContext* context, const v1::TokenizeRequest* request,
    v1::TokenizeResponse* response) {
  return AnswerInline(context, &gate_, [&](const Catalog& catalog) {
    return TokenizeInputs(catalog, *request, response);
  });
}

grpc::ServerUnaryReactor* Service::ListModels(
    grpc::CallbackServerContext* context,
    const v1::ListModelsRequest* /*request*/,
    v1::ListModelsResponse* response) {
  return AnswerInline(context, &gate_, [&](const Catalog& catalog) {
    for (const ServedModel& model : catalog.models())
      ToProto(model, response->add_models());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* Service::GetModel(
    grpc::CallbackServerContext* context, const v1::GetModelRequest* request,
    v1::GetModelResponse* response) {
  return AnswerInline(context, &gate_, [&](const Catalog& catalog) {
    absl::StatusOr<size_t> index = catalog.Find(request->model());
    if (!index.ok()) return index.status();
    ToProto(catalog.models()[*index], response);
    return absl::OkStatus();
  });
}

}  // namespace deberta::server
