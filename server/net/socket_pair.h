// Two connected sockets that do not block.

#ifndef SERVER_NET_SOCKET_PAIR_H_
#define SERVER_NET_SOCKET_PAIR_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/net/descriptor.h"

namespace deberta::server {

struct SocketPair {
  Descriptor named;
  Descriptor other;  // whose peer has the name
};

// A beginning of names that nobody else gives to sockets.
std::string RandomSocketPrefix();

// `name` is one of the abstract namespace, without its leading zero.
absl::StatusOr<SocketPair> MakeSocketPair(std::string_view name);

}  // namespace deberta::server

#endif  // SERVER_NET_SOCKET_PAIR_H_
