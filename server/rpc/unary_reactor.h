// What a unary call is to gRPC: it owns itself, and is over once its answer is
// sent.

#ifndef SERVER_RPC_UNARY_REACTOR_H_
#define SERVER_RPC_UNARY_REACTOR_H_

#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/rpc/late_calls.h"

namespace deberta::server {

class UnaryReactor : public grpc::ServerUnaryReactor {
 public:
  void OnDone() override;

 protected:
  // `context` and `response` are gRPC's, as long as the call; `unsent` outlives
  // it.
  UnaryReactor(grpc::CallbackServerContext* context, grpc::ByteBuffer* response,
               LateCalls* unsent)
      : context_(context), response_(response), unsent_(unsent) {}

  grpc::CallbackServerContext& context() const { return *context_; }

  // Ends the call; once. A client that does not take the answer is not to make
  // others wait: see LateCalls.
  void Send(grpc::Status status, grpc::ByteBuffer answer);

 private:
  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer* const response_;
  LateCalls* const unsent_;
  LateCalls::Entry late_;  // once answered
};

// Refuses a call that there was no memory for; what gRPC is to be given. To be
// called in a catch clause.
grpc::ServerUnaryReactor* RefuseUnary(grpc::CallbackServerContext* context);

}  // namespace deberta::server

#endif  // SERVER_RPC_UNARY_REACTOR_H_
