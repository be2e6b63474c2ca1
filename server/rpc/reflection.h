// Server reflection, of grpc.reflection.v1 and v1alpha.
//
// gRPC 1.51's own keeps a thread for each open stream, and all answers that a
// client asks for without reading them. Here a stream answers one question
// after another, so many at most, and ends after a while.

#ifndef SERVER_RPC_REFLECTION_H_
#define SERVER_RPC_REFLECTION_H_

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/support/server_callback.h"
#include "server/rpc/late_calls.h"

namespace deberta::server {

class Reflection final : public grpc::Service {
 public:
  // What a stream may ask, how long it may stay, and how many may be open.
  static constexpr int kMostQuestions = 1000;
  static constexpr int kMostStreams = 256;
  static constexpr absl::Duration kMostTime = absl::Seconds(60);

  // Tells of these services beside itself. `on_limit` is called for each stream
  // that meets a limit.
  Reflection(std::vector<std::string> services, std::function<void()> on_limit);

  // The answer to one question.
  grpc::reflection::v1::ServerReflectionResponse Answer(
      const grpc::reflection::v1::ServerReflectionRequest& request) const;

 private:
  class Stream;

  std::vector<std::string> services_;
  std::vector<std::string> paths_;  // of the methods, which gRPC points to
  const std::function<void()> on_limit_;
  LateCalls late_;
  std::atomic<int> streams_ = 0;
};

}  // namespace deberta::server

#endif  // SERVER_RPC_REFLECTION_H_
