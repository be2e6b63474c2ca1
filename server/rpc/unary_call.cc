#include "server/rpc/unary_call.h"

#include <utility>

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
    return RefuseUnary(context);
  }
  started->call_->Start();
  return started;
}

void UnaryCall::Answer(grpc::Status status, grpc::ByteBuffer answer) {
  Send(std::move(status), std::move(answer));
}

}  // namespace deberta::server
