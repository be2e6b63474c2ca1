// What bounds the connections of a front, and each of them.

#ifndef SERVER_NET_CONNECTION_LIMITS_H_
#define SERVER_NET_CONNECTION_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"

namespace deberta::server {

struct ConnectionLimits {
  size_t max_connections = 1024;
  // Of an IPv4 address or an IPv6 /64. Unix sockets have no such limit.
  size_t max_connections_per_peer = 256;
  size_t max_streams = 1024;  // open at once, of one connection
  // HEADERS and its CONTINUATIONs, as they travel.
  size_t max_header_block_bytes = size_t{128} << 10;
  // Streams that end by a reset before their answer, of one connection; twice
  // as many at once. One peer's connections may have four times that together.
  double max_resets_per_second = 1000;
  // That one peer may begin; more are read later. gRPC spends much on each.
  double max_calls_per_second = 5000;
  // Until a client has said that it speaks HTTP/2, and for a frame to go on.
  absl::Duration handshake_time = absl::Seconds(10);
  // That bytes may wait for a client which reads none.
  absl::Duration stall_time = absl::Seconds(20);
};

}  // namespace deberta::server

#endif  // SERVER_NET_CONNECTION_LIMITS_H_
