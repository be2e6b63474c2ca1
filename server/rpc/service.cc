#include "server/rpc/service.h"

#include <utility>

#include "server/rpc/refused_stream.h"

namespace deberta::server {

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
                    .counts = counts_}) {}

bool Service::open() {
  Admission::Backend backend;
  return admission_.Enter(&backend).ok();
}

bool Service::Drain(absl::Time deadline) {
  streams_.Drain();
  admission_.Close();
  return admission_.WaitUntilEmpty(deadline);
}

grpc::ServerUnaryReactor* Service::Start(Method method,
                                         grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) {
  return UnaryCall::Start(method, context, request, response, &environment_,
                          &unsent_);
}

grpc::ServerUnaryReactor* Service::Classify(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Start(Method::kClassify, context, request, response);
}

grpc::ServerUnaryReactor* Service::TagTokens(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Start(Method::kTagTokens, context, request, response);
}

grpc::ServerUnaryReactor* Service::AnswerQuestion(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Start(Method::kAnswerQuestion, context, request, response);
}

grpc::ServerUnaryReactor* Service::FillMask(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Start(Method::kFillMask, context, request, response);
}

grpc::ServerUnaryReactor* Service::ClassifyZeroShot(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Start(Method::kClassifyZeroShot, context, request, response);
}

grpc::ServerUnaryReactor* Service::ExtractEntities(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Start(Method::kExtractEntities, context, request, response);
}

grpc::ServerUnaryReactor* Service::ExtractStructured(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Start(Method::kExtractStructured, context, request, response);
}

grpc::ServerUnaryReactor* Service::Rerank(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) {
  return Start(Method::kRerank, context, request, response);
}

grpc::ServerUnaryReactor* Service::Encode(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) {
  return Start(Method::kEncode, context, request, response);
}

grpc::ServerUnaryReactor* Service::Tokenize(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Start(Method::kTokenize, context, request, response);
}

grpc::ServerUnaryReactor* Service::ListModels(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Start(Method::kListModels, context, request, response);
}

grpc::ServerUnaryReactor* Service::GetModel(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Start(Method::kGetModel, context, request, response);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Service::Process(
    grpc::CallbackServerContext* context) {
  return RefusedStream<grpc::ByteBuffer, grpc::ByteBuffer>::OrElse([&] {
    return ProcessStream::Start(context, &environment_, &unsent_, &streams_);
  });
}

}  // namespace deberta::server
