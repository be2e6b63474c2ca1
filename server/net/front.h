// Accepts the connections of the gRPC server and stands between them and it:
// gRPC 1.51 stops accepting for good once descriptors run out, and lets through
// what costs it without bound.
//
// One thread accepts, shakes hands, looks at frames and moves bytes; it holds
// no lock while it does.

#ifndef SERVER_NET_FRONT_H_
#define SERVER_NET_FRONT_H_

#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/address.h"
#include "server/base/listening_socket.h"
#include "server/net/front_loop.h"

namespace deberta::server {

class Front {
 public:
  // Listens. An error names the address and the system's reason.
  static absl::StatusOr<std::unique_ptr<Front>> Start(const Address& address,
                                                      FrontOptions options);
  // Ends every connection.
  ~Front();
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  int port() const { return sockets_.port(); }  // 0 for a unix socket
  const SocketFile& file() const { return sockets_.file(); }

  // Accepts no more: `connect` is not called again once this returns. Clients
  // are asked to take new calls elsewhere; what they begin before they hear of
  // it is still moved.
  void StopAccepting();
  // Then: waits until every client has heard that it is to leave, at most so
  // long. Whether all have.
  bool WaitUntilAllKnow(absl::Duration time);
  // Waits until every connection has ended, at most so long.
  void WaitUntilEmpty(absl::Duration time);

 private:
  Front(ListeningSockets sockets, std::unique_ptr<FrontLoop> loop);

  const ListeningSockets sockets_;  // whose descriptors are the loop's
  const std::unique_ptr<FrontLoop> loop_;
  std::thread thread_;
};

}  // namespace deberta::server

#endif  // SERVER_NET_FRONT_H_
