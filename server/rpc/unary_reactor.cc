#include "server/rpc/unary_reactor.h"

#include <utility>

#include "server/base/thrown.h"
#include "server/rpc/status.h"

namespace deberta::server {

void UnaryReactor::OnDone() {
  response_->Clear();
  delete this;
}

void UnaryReactor::Send(grpc::Status status, grpc::ByteBuffer answer) {
  *response_ = std::move(answer);
  unsent_->Add(context_, &late_);
  try {
    Finish(std::move(status));
  } catch (...) {
    // Without memory for the answer gRPC would let its caller wait.
    context_->TryCancel();
  }
}

grpc::ServerUnaryReactor* RefuseUnary(grpc::CallbackServerContext* context) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(StatusOfException()));
  return reactor;
}

}  // namespace deberta::server
