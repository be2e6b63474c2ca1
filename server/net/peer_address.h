// Whose connection a socket is.

#ifndef SERVER_NET_PEER_ADDRESS_H_
#define SERVER_NET_PEER_ADDRESS_H_

#include <sys/socket.h>

#include <string>

namespace deberta::server {

struct PeerAddress {
  // "1.2.3.4", also where IPv6 carries it, "::1" or "unix".
  std::string text;
  // What shares a peer's limits: an IPv4 address, an IPv6 /64, or "unix".
  std::string share;

  bool is_unix() const { return share == "unix"; }
};

PeerAddress ReadPeerAddress(const sockaddr_storage& address);

}  // namespace deberta::server

#endif  // SERVER_NET_PEER_ADDRESS_H_
