#include "server/rpc/listener.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/server_builder.h"

namespace deberta::server {
namespace {

constexpr char kServiceName[] = "deberta.v1.DebertaService";
constexpr char kHealthName[] = "grpc.health.v1.Health";
constexpr char kLivenessName[] = "liveness";

// For clients to read what was sent last, once all calls are over.
constexpr absl::Duration kFarewell = absl::Milliseconds(500);
// From the front to the service: a call that its client had begun before it
// heard that it is to leave.
constexpr absl::Duration kOnItsWay = absl::Milliseconds(200);
// Probes come one by one.
constexpr size_t kHealthConnections = 64;

void TellHealth(const grpc::Server& server, bool serving) {
  grpc::HealthCheckServiceInterface* const health =
      server.GetHealthCheckService();
  health->SetServingStatus("", serving);
  health->SetServingStatus(kServiceName, serving);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Start(
    const Options& options, grpc::Service* service) {
  grpc::EnableDefaultHealthCheckService(true);
  std::unique_ptr<Listener> listener(new Listener);
  if (absl::Status s = listener->OpenService(options, service); !s.ok())
    return s;
  if (options.health_address.has_value()) {
    if (absl::Status s = listener->OpenHealth(options); !s.ok()) return s;
  }
  return listener;
}

absl::Status Listener::OpenService(const Options& options,
                                   grpc::Service* service) {
  std::unique_ptr<TlsContext> tls;
  if (options.tls.has_value()) {
    auto loaded = TlsContext::Load(*options.tls);
    if (!loaded.ok()) return loaded.status();
    tls = *std::move(loaded);
  }
  grpc::ServerBuilder builder;
  SetLimits(options.limits, &builder);
  builder.RegisterService(service);
  std::vector<std::string> names = {kServiceName, kHealthName};
  for (const auto& [name, other] : options.others) {
    builder.RegisterService(other);
    names.push_back(name);
  }
  if (options.reflection) {
    ConnectionCounts* const counts =
        options.counts == nullptr ? &own_counts_ : options.counts;
    reflection_ = std::make_unique<Reflection>(
        std::move(names), [counts] { counts->Count(CallLimit::kReflection); });
    builder.RegisterService(reflection_.get());
  }
  absl::StatusOr<Port> port =
      Open(options.address, options, std::move(tls), &builder);
  if (!port.ok()) return port.status();
  ports_.push_back(*std::move(port));
  return absl::OkStatus();
}

absl::Status Listener::OpenHealth(const Options& options) {
  Options probes = options;
  probes.connections.max_connections = kHealthConnections;
  probes.connections.max_connections_per_peer = kHealthConnections;
  grpc::ServerBuilder builder;
  SetLimits(options.limits, &builder);
  // Answers UNIMPLEMENTED.
  builder.RegisterCallbackGenericService(&nothing_else_);
  absl::StatusOr<Port> port =
      Open(*options.health_address, probes, nullptr, &builder);
  if (!port.ok()) return port.status();
  ports_.push_back(*std::move(port));
  return absl::OkStatus();
}

absl::StatusOr<Listener::Port> Listener::Open(const Address& address,
                                              const Options& options,
                                              std::unique_ptr<TlsContext> tls,
                                              grpc::ServerBuilder* builder) {
  Port port;
  port.acceptor = builder->experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  port.server = builder->BuildAndStart();
  if (port.server == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address.ToString(),
                     ": gRPC's server could not be built"));
  }
  // Which is SERVING by default, before the first connection can come.
  TellHealth(*port.server, false);
  port.server->GetHealthCheckService()->SetServingStatus(kLivenessName, true);
  absl::StatusOr<std::unique_ptr<Front>> front = Front::Start(
      address,
      {.limits = options.connections,
       .tls = std::move(tls),
       .connect =
           [acceptor = port.acceptor.get()](int descriptor) {
             Acceptor::NewConnectionParameters parameters;
             parameters.fd = descriptor;
             acceptor->HandleNewConnection(&parameters);
           },
       .peers = options.peers == nullptr ? &own_peers_ : options.peers,
       .counts = options.counts == nullptr ? &own_counts_ : options.counts,
       .log = options.log});
  if (!front.ok()) return front.status();
  port.front = *std::move(front);
  return port;
}

Listener::~Listener() { Stop(absl::ZeroDuration()); }

std::vector<SocketFile> Listener::files() const {
  std::vector<SocketFile> files;
  for (const Port& port : ports_) files.push_back(port.front->file());
  return files;
}

void Listener::SetServing(bool serving) {
  for (const Port& port : ports_) TellHealth(*port.server, serving);
}

void Listener::SetModelServing(const std::string& name, bool serving) {
  for (const Port& port : ports_) {
    port.server->GetHealthCheckService()->SetServingStatus("model/" + name,
                                                           serving);
  }
}

void Listener::SendClientsAway(absl::Duration time) {
  Front& front = *ports_.front().front;
  front.StopAccepting();
  front.WaitUntilAllKnow(time);
  front.WaitUntilEmpty(std::min(time, kOnItsWay));
}

void Listener::Stop(absl::Duration grace) {
  const absl::Time deadline = absl::Now() + grace;
  for (const Port& port : ports_) port.front->StopAccepting();
  for (const Port& port : ports_)
    port.server->Shutdown(absl::ToChronoTime(deadline));
  for (const Port& port : ports_)
    port.front->WaitUntilEmpty(std::min(grace, kFarewell));
}

}  // namespace deberta::server
