// The gRPC server around a service: port, limits, health and reflection.

#ifndef SERVER_RPC_LISTENER_H_
#define SERVER_RPC_LISTENER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server.h"

namespace deberta::server {

class Listener {
 public:
  struct Options {
    std::string address;  // "host:port"; port 0: any that is free
    int max_request_bytes = 4 << 20;
  };

  // Listens; health is NOT_SERVING until SetServing(). Unavailable if the
  // address cannot be bound. `service` outlives the listener.
  static absl::StatusOr<std::unique_ptr<Listener>> Start(
      const Options& options, grpc::Service* service);
  ~Listener();

  int port() const { return port_; }

  // Health of "" and of deberta.v1.DebertaService.
  void SetServing(bool serving);

  // Closes the port and ends every call: those that are open after `grace` are
  // cancelled. May be called again.
  void Stop(absl::Duration grace);

  grpc::Server& server() { return *server_; }

 private:
  Listener(std::unique_ptr<grpc::Server> server, int port)
      : server_(std::move(server)), port_(port) {}

  const std::unique_ptr<grpc::Server> server_;
  const int port_;
};

}  // namespace deberta::server

#endif  // SERVER_RPC_LISTENER_H_
