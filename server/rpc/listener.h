// The gRPC server around a service: ports, limits, health and reflection.

#ifndef SERVER_RPC_LISTENER_H_
#define SERVER_RPC_LISTENER_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/server.h"
#include "server/base/address.h"
#include "server/base/listening_socket.h"
#include "server/base/log.h"
#include "server/net/connection_counts.h"
#include "server/net/connection_limits.h"
#include "server/net/front.h"
#include "server/net/peer.h"
#include "server/net/tls.h"
#include "server/rpc/reflection.h"
#include "server/rpc/server_arguments.h"

namespace deberta::server {

class Listener {
 public:
  // By their names.
  using Services = std::vector<std::pair<std::string, grpc::Service*>>;

  struct Options {
    Address address;
    // Plaintext, with health checks alone.
    std::optional<Address> health_address = {};
    std::optional<TlsFiles> tls = {};
    bool reflection = true;
    // Beside the service. They outlive the listener.
    Services others = {};
    ServerLimits limits = {};
    ConnectionLimits connections = {};
    // These outlive the listener; where they are null it has its own.
    PeerTable* peers = nullptr;
    ConnectionCounts* counts = nullptr;
    Log* log = nullptr;
  };

  // Listens; health is NOT_SERVING until SetServing(), except that of
  // "liveness": SERVING until Stop(), models or not. An error names the
  // address and the system's reason, or the TLS file. `service` outlives the
  // listener.
  static absl::StatusOr<std::unique_ptr<Listener>> Start(
      const Options& options, grpc::Service* service);
  ~Listener();

  int port() const { return ports_.front().front->port(); }  // 0: unix socket
  int health_port() const { return ports_.back().front->port(); }
  std::vector<SocketFile> files() const;

  // Health of "" and of deberta.v1.DebertaService.
  void SetServing(bool serving);
  // Health of model/NAME; unknown until the first time.
  void SetModelServing(const std::string& name, bool serving);

  // Closes the service's port, asks clients to take new calls elsewhere, and
  // waits until they have heard, at most so long. Calls are still taken.
  void SendClientsAway(absl::Duration time);
  // Closes the ports and ends every call: those that are open after `grace` are
  // cancelled. May be called again.
  void Stop(absl::Duration grace);

  grpc::Server& server() { return *ports_.front().server; }

 private:
  using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

  // A gRPC server, and what brings it its connections.
  struct Port {
    std::unique_ptr<Acceptor> acceptor;
    std::unique_ptr<grpc::Server> server;
    std::unique_ptr<Front> front;
  };

  Listener() = default;
  absl::StatusOr<Port> Open(const Address& address, const Options& options,
                            std::unique_ptr<TlsContext> tls,
                            grpc::ServerBuilder* builder);
  absl::Status OpenService(const Options& options, grpc::Service* service);
  absl::Status OpenHealth(const Options& options);

  PeerTable own_peers_;
  ConnectionCounts own_counts_;
  std::unique_ptr<Reflection> reflection_;
  grpc::CallbackGenericService nothing_else_;
  std::vector<Port> ports_;  // the service's first
};

}  // namespace deberta::server

#endif  // SERVER_RPC_LISTENER_H_
