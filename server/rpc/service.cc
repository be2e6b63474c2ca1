#include "server/rpc/service.h"

#include <utility>

#include "server/base/thrown.h"
#include "server/rpc/model_calls.h"
#include "server/rpc/status.h"
#include "server/rpc/task_call.h"
#include "server/tasks/answer_question.h"
#include "server/tasks/classify.h"
#include "server/tasks/encode.h"
#include "server/tasks/fill_mask.h"
#include "server/tasks/tag_tokens.h"
#include "server/tasks/zero_shot.h"

namespace deberta::server {
namespace {

// Starts the call that `make` gives, or refuses it if there is no memory for
// one.
template <typename Make>
grpc::ServerUnaryReactor* Started(grpc::CallbackServerContext* context,
                                  Make make) {
  Call* call = nullptr;
  try {
    call = make();
  } catch (...) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(StatusOfException()));
    return reactor;
  }
  call->Start();
  return call;
}

}  // namespace

Service::Service(Options options)
    : admission_(options.memory),
      large_calls_(options.large_call_threads),
      counts_(options.counts == nullptr ? &own_counts_ : options.counts),
      unsent_(options.max_send_time,
              [this] { counts_->Count(CallLimit::kUnread); }),
      environment_({.admission = &admission_,
                    .large_calls = &large_calls_,
                    .authenticator = options.authenticator,
                    .peers = options.peers,
                    .observer = std::move(options.observer),
                    .max_time = options.max_call_time,
                    .max_metadata_bytes = options.max_metadata_bytes,
                    .max_request_bytes = options.max_request_bytes,
                    .unsent = &unsent_,
                    .counts = counts_}) {}

bool Service::Drain(absl::Time deadline) {
  admission_.Close();
  return admission_.WaitUntilEmpty(deadline);
}

grpc::ServerUnaryReactor* Service::Classify(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Started(context, [&] {
    return new TaskCall<TaskKind::kClassify, ClassifyTask, v1::ClassifyRequest,
                        v1::ClassifyResponse>(*context, request, response,
                                              &environment_);
  });
}

grpc::ServerUnaryReactor* Service::TagTokens(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Started(context, [&] {
    return new TaskCall<TaskKind::kTagTokens, TagTokensTask,
                        v1::TagTokensRequest, v1::TagTokensResponse>(
        *context, request, response, &environment_);
  });
}

grpc::ServerUnaryReactor* Service::AnswerQuestion(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Started(context, [&] {
    return new TaskCall<TaskKind::kAnswerQuestion, AnswerQuestionTask,
                        v1::AnswerQuestionRequest, v1::AnswerQuestionResponse>(
        *context, request, response, &environment_);
  });
}

grpc::ServerUnaryReactor* Service::FillMask(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Started(context, [&] {
    return new TaskCall<TaskKind::kFillMask, FillMaskTask, v1::FillMaskRequest,
                        v1::FillMaskResponse>(*context, request, response,
                                              &environment_);
  });
}

grpc::ServerUnaryReactor* Service::ClassifyZeroShot(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Started(context, [&] {
    return new TaskCall<TaskKind::kZeroShot, ZeroShotTask,
                        v1::ClassifyZeroShotRequest,
                        v1::ClassifyZeroShotResponse>(*context, request,
                                                      response, &environment_);
  });
}

grpc::ServerUnaryReactor* Service::Encode(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) {
  return Started(context, [&] {
    return new TaskCall<TaskKind::kEncode, EncodeTask, v1::EncodeRequest,
                        v1::EncodeResponse>(*context, request, response,
                                            &environment_);
  });
}

grpc::ServerUnaryReactor* Service::Tokenize(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Started(context, [&] {
    return new TokenizeCall(kTokenizeMethod, *context, request, response,
                            &environment_);
  });
}

grpc::ServerUnaryReactor* Service::ListModels(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Started(context, [&] {
    return new ListModelsCall(kListModelsMethod, *context, request, response,
                              &environment_);
  });
}

grpc::ServerUnaryReactor* Service::GetModel(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Started(context, [&] {
    return new GetModelCall(kGetModelMethod, *context, request, response,
                            &environment_);
  });
}

}  // namespace deberta::server
