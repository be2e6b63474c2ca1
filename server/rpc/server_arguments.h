// The limits that gRPC itself keeps.

#ifndef SERVER_RPC_SERVER_ARGUMENTS_H_
#define SERVER_RPC_SERVER_ARGUMENTS_H_

#include <cstddef>

#include "absl/time/time.h"
#include "grpcpp/server_builder.h"

namespace deberta::server {

struct ServerLimits {
  int max_request_bytes = 4 << 20;
  // That the transports may hold together.
  size_t transport_bytes = size_t{256} << 20;
  // gzip is passed on as it comes; without, a compressed request is refused
  // with UNIMPLEMENTED.
  bool allow_compression = false;
  int max_streams = 1024;  // of one connection
  // Of one call; beyond, its connection ends. See CallEnvironment.
  int max_connection_metadata_bytes = 128 << 10;
  // Infinite: for ever.
  absl::Duration max_connection_idle = absl::InfiniteDuration();
  absl::Duration max_connection_age = absl::InfiniteDuration();
  absl::Duration max_connection_age_grace = absl::InfiniteDuration();
};

void SetLimits(const ServerLimits& limits, grpc::ServerBuilder* builder);

}  // namespace deberta::server

#endif  // SERVER_RPC_SERVER_ARGUMENTS_H_
