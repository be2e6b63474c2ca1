#include "server/rpc/server_arguments.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>

#include "grpcpp/resource_quota.h"

namespace deberta::server {
namespace {

constexpr int kKeepaliveTimeMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr int kMinPingIntervalMs = 10'000;

int Milliseconds(absl::Duration time) {
  constexpr int kForEver = std::numeric_limits<int>::max();
  return static_cast<int>(
      std::min<int64_t>(absl::ToInt64Milliseconds(time), kForEver));
}

}  // namespace

void SetLimits(const ServerLimits& limits, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(limits.max_request_bytes);
  grpc::ResourceQuota quota("deberta");
  quota.Resize(limits.transport_bytes);
  builder->SetResourceQuota(quota);
  // gRPC unpacks without a bound; the call does so with one.
  builder->AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP,
                                                limits.allow_compression);
  const std::pair<const char*, int> arguments[] = {
      {GRPC_ARG_MAX_METADATA_SIZE, limits.max_connection_metadata_bytes},
      {GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.max_streams},
      {GRPC_ARG_MAX_CONNECTION_IDLE_MS,
       Milliseconds(limits.max_connection_idle)},
      {GRPC_ARG_MAX_CONNECTION_AGE_MS, Milliseconds(limits.max_connection_age)},
      {GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
       Milliseconds(limits.max_connection_age_grace)},
      {GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs},
      {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs},
      {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
      {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
       kMinPingIntervalMs}};
  for (const auto& [name, value] : arguments)
    builder->AddChannelArgument(name, value);
}

}  // namespace deberta::server
