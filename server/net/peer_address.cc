#include "server/net/peer_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>

namespace deberta::server {
namespace {

constexpr int kNetworkBytes = 8;  // of an IPv6 address: the first half

std::string Written(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  inet_ntop(family, address, text.data(), text.size());
  return text.data();
}

}  // namespace

PeerAddress ReadPeerAddress(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const std::string text = Written(
        AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr);
    return {text, text};
  }
  if (address.ss_family != AF_INET6) return {"unix", "unix"};
  const in6_addr& host =
      reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&host)) {
    const std::string text = Written(AF_INET, &host.s6_addr[12]);
    return {text, text};
  }
  return {Written(AF_INET6, &host),
          "v6:" + std::string(reinterpret_cast<const char*>(host.s6_addr),
                              kNetworkBytes)};
}

}  // namespace deberta::server
