// The gRPC server around a service: port, limits, health and reflection.

#ifndef SERVER_RPC_LISTENER_H_
#define SERVER_RPC_LISTENER_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server.h"
#include "server/base/address.h"
#include "server/base/listening_socket.h"

namespace deberta::server {

class Listener {
 public:
  struct Options {
    Address address;
    int max_request_bytes = 4 << 20;
  };

  // Listens; health is NOT_SERVING until SetServing(). An error names the
  // address and the system's reason. `service` outlives the listener.
  static absl::StatusOr<std::unique_ptr<Listener>> Start(
      const Options& options, grpc::Service* service);
  ~Listener();

  int port() const { return port_; }  // 0 for a unix socket
  const SocketFile& file() const { return file_; }

  // Health of "" and of deberta.v1.DebertaService.
  void SetServing(bool serving);
  // Health of model/NAME; unknown until the first time.
  void SetModelServing(const std::string& name, bool serving);

  // Closes the port and ends every call: those that are open after `grace` are
  // cancelled. May be called again.
  void Stop(absl::Duration grace);

  grpc::Server& server() { return *server_; }

 private:
  Listener(std::unique_ptr<grpc::Server> server, int port, SocketFile file)
      : server_(std::move(server)), port_(port), file_(std::move(file)) {}

  const std::unique_ptr<grpc::Server> server_;
  const int port_;
  const SocketFile file_;  // which gRPC removes
};

}  // namespace deberta::server

#endif  // SERVER_RPC_LISTENER_H_
