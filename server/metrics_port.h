// GET /metrics over HTTP, on a TCP port or a unix socket, and a page for people
// at /.
//
// By libmicrohttpd, and the only file with it: it takes sockets of any family
// that are already bound, which civetweb does not, and one thread serves all
// connections, so that silent and slow ones keep nobody waiting: one address
// has room for 256 of them beside its scrapes, and they are closed after 5 s.

#ifndef SERVER_METRICS_PORT_H_
#define SERVER_METRICS_PORT_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/base/address.h"
#include "server/base/listening_socket.h"

struct MHD_Daemon;

namespace deberta::server {

struct MetricsTexts;  // of metrics_port.cc

class MetricsPort {
 public:
  // Answers GET and HEAD of /metrics with what `text` returns, which is called
  // from threads of the port, and of / with the page that shows it. An error names the address and the system's
  // reason.
  static absl::StatusOr<std::unique_ptr<MetricsPort>> Start(
      const Address& address, std::function<std::string()> text);
  // Ends every connection; `text` is not called again.
  ~MetricsPort();
  MetricsPort(const MetricsPort&) = delete;
  MetricsPort& operator=(const MetricsPort&) = delete;

  int port() const { return sockets_.port(); }  // 0 for a unix socket
  const SocketFile& file() const { return sockets_.file(); }

 private:
  MetricsPort(ListeningSockets sockets, std::function<std::string()> text);

  ListeningSockets sockets_;
  const std::unique_ptr<MetricsTexts> texts_;
  std::vector<MHD_Daemon*> daemons_;  // one a descriptor
};

}  // namespace deberta::server

#endif  // SERVER_METRICS_PORT_H_
