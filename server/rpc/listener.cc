#include "server/rpc/listener.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/server_builder.h"

namespace deberta::server {
namespace {

constexpr char kServiceName[] = "deberta.v1.DebertaService";

// Memory that gRPC's transports may hold together: this many largest requests,
// but not less than the floor.
constexpr size_t kQuotaRequests = 64;
constexpr size_t kQuotaFloorBytes = size_t{256} << 20;
constexpr int kMaxMetadataBytes = 16 << 10;
constexpr int kMaxConcurrentStreams = 1024;  // a connection
constexpr int kKeepaliveTimeMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr int kMinPingIntervalMs = 10'000;

void SetLimits(const Listener::Options& options, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(options.max_request_bytes);
  grpc::ResourceQuota quota("deberta");
  quota.Resize(std::max(
      kQuotaFloorBytes,
      kQuotaRequests * static_cast<size_t>(options.max_request_bytes)));
  builder->SetResourceQuota(quota);
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                              kMaxConcurrentStreams);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                              kKeepaliveTimeoutMs);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
      kMinPingIntervalMs);
  // A second server on the port is a mistake, not a second acceptor.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

// As gRPC reads it: the path of a unix socket as in a URI.
std::string GrpcAddress(const Address& address) {
  if (!address.is_unix()) return address.ToString();
  std::string uri = "unix:";
  for (const char c : address.path) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
        absl::StrContains("/-._~", c)) {
      uri.push_back(c);
    } else {
      absl::StrAppendFormat(&uri, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return uri;
}

// gRPC does not tell why it cannot listen, and takes the place of a server that
// lives on a unix socket.
absl::Status CheckFree(const Address& address) {
  const absl::StatusOr<ListeningSockets> sockets =
      ListeningSockets::Open(address);
  if (sockets.ok()) return absl::OkStatus();
  return absl::Status(sockets.status().code(),
                      absl::StrCat("cannot listen on ", address.ToString(),
                                   ": ", sockets.status().message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Start(
    const Options& options, grpc::Service* service) {
  const Address& address = options.address;
  if (absl::Status s = CheckFree(address); !s.ok()) return s;
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetLimits(options, &builder);
  int port = 0;
  builder.AddListeningPort(GrpcAddress(address),
                           grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address.ToString(),
                     ": gRPC failed, though the address was free"));
  }
  std::unique_ptr<Listener> listener(
      address.is_unix()
          ? new Listener(std::move(server), 0, SocketFile::At(address.path))
          : new Listener(std::move(server), port, SocketFile()));
  listener->SetServing(false);
  return listener;
}

Listener::~Listener() { Stop(absl::ZeroDuration()); }

void Listener::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
  health->SetServingStatus("", serving);
  health->SetServingStatus(kServiceName, serving);
}

void Listener::SetModelServing(const std::string& name, bool serving) {
  server_->GetHealthCheckService()->SetServingStatus("model/" + name, serving);
}

void Listener::Stop(absl::Duration grace) {
  server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
}

}  // namespace deberta::server
