// A stream that there was no memory for.

#ifndef SERVER_RPC_REFUSED_STREAM_H_
#define SERVER_RPC_REFUSED_STREAM_H_

#include <new>

#include "grpcpp/support/server_callback.h"
#include "server/base/thrown.h"
#include "server/rpc/status.h"

namespace deberta::server {

template <typename Request, typename Response>
class RefusedStream final : public grpc::ServerBidiReactor<Request, Response> {
 public:
  // What `start` makes, or what ends the stream with the status of what it
  // throws. Null, which gRPC answers for us, without memory for that either.
  template <typename Start>
  static grpc::ServerBidiReactor<Request, Response>* OrElse(Start start) {
    try {
      return start();
    } catch (...) {
      return new (std::nothrow) RefusedStream(StatusOfException());
    }
  }

  void OnDone() override { delete this; }

 private:
  explicit RefusedStream(const absl::Status& why) {
    this->Finish(ToGrpcStatus(why));
  }
};

}  // namespace deberta::server

#endif  // SERVER_RPC_REFUSED_STREAM_H_
