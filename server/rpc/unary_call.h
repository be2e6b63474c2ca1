// A call whose request is one of gRPC's, and its answer too.

#ifndef SERVER_RPC_UNARY_CALL_H_
#define SERVER_RPC_UNARY_CALL_H_

#include <memory>

#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/rpc/call.h"
#include "server/rpc/late_calls.h"
#include "server/rpc/make_call.h"
#include "server/rpc/unary_reactor.h"

namespace deberta::server {

class UnaryCall final : public UnaryReactor, private CallSink {
 public:
  // Starts a call, which then owns itself; what gRPC is to be given. Without
  // memory for one it is refused. `request` and `response` are gRPC's, as long
  // as the call; `unsent` outlives it.
  static grpc::ServerUnaryReactor* Start(Method method,
                                         grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response,
                                         const CallEnvironment* environment,
                                         LateCalls* unsent);

  void OnCancel() override { call_->Cancel(); }

 private:
  using UnaryReactor::UnaryReactor;

  void Answer(grpc::Status status, grpc::ByteBuffer answer) override;

  std::unique_ptr<Call> call_;
};

}  // namespace deberta::server

#endif  // SERVER_RPC_UNARY_CALL_H_
