#include "server/rpc/unary_call.h"

#include <utility>

#include "server/base/thrown.h"
#include "server/rpc/status.h"

namespace deberta::server {

grpc::ServerUnaryReactor* UnaryCall::Start(Method method,
                                           grpc::CallbackServerContext* context,
                                           const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response,
                                           const CallEnvironment* environment,
                                           LateCalls* unsent) {
  UnaryCall* started = nullptr;
  try {
    std::unique_ptr<UnaryCall> made(new UnaryCall(context, response, unsent));
    made->call_ =
        MakeCall(method,
                 {.context = *context,
                  // The buffer is the call's own; gRPC does not read it again.
                  .request = const_cast<grpc::ByteBuffer*>(request),
                  .sink = made.get()},
                 environment);
    started = made.release();
  } catch (...) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(StatusOfException()));
    return reactor;
  }
  started->call_->Start();
  return started;
}

void UnaryCall::Answer(grpc::Status status, grpc::ByteBuffer answer) {
  *response_ = std::move(answer);
  // A client that does not take the answer is not to make others wait.
  unsent_->Add(context_, &late_);
  try {
    Finish(std::move(status));
  } catch (...) {
    // Without memory for the answer gRPC would let its caller wait.
    context_->TryCancel();
  }
}

void UnaryCall::OnDone() {
  response_->Clear();
  delete this;
}

}  // namespace deberta::server
