#include "tests/server/base/connect.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>

#include "server/base/listening_socket.h"

namespace deberta::server {
namespace {

// The address and its size.
std::pair<sockaddr_storage, socklen_t> SocketAddress(const Address& address) {
  sockaddr_storage storage = {};
  if (address.is_unix()) {
    auto& unix = reinterpret_cast<sockaddr_un&>(storage);
    unix.sun_family = AF_UNIX;
    address.path.copy(unix.sun_path, sizeof(unix.sun_path) - 1);
    return {storage, sizeof(unix)};
  }
  auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
  if (inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<uint16_t>(address.port));
    return {storage, sizeof(v4)};
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  EXPECT_EQ(inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr), 1);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(static_cast<uint16_t>(address.port));
  return {storage, sizeof(v6)};
}

}  // namespace

Connection::Connection(const Address& address) {
  const auto [storage, bytes] = SocketAddress(address);
  descriptor_ = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(descriptor_, reinterpret_cast<const sockaddr*>(&storage),
              bytes) == 0) {
    return;
  }
  close(descriptor_);
  descriptor_ = -1;
}

Connection::~Connection() {
  if (descriptor_ >= 0) close(descriptor_);
}

void Connection::Send(const std::string& text) const {
  EXPECT_EQ(send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

std::string Connection::Read() const { return ReadUntil(""); }

std::string Connection::ReadUntil(const std::string& end) const {
  std::string text;
  std::array<char, 4096> bytes;
  while (end.empty() || text.find(end) == std::string::npos) {
    const ssize_t count = recv(descriptor_, bytes.data(), bytes.size(), 0);
    if (count <= 0) break;
    text.append(bytes.data(), static_cast<size_t>(count));
  }
  return text;
}

bool HaveIpv6() { return ListeningSockets::Open({.host = "::1"}).ok(); }

}  // namespace deberta::server
