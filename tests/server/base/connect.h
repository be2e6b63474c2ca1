// Plain sockets for tests of what listens.

#ifndef TESTS_SERVER_BASE_CONNECT_H_
#define TESTS_SERVER_BASE_CONNECT_H_

#include <string>
#include <utility>

#include "server/base/address.h"

namespace deberta::server {

// A blocking connection.
class Connection {
 public:
  // Connects to an IPv4 or IPv6 address, or to a unix socket; ok() is false
  // where nothing listens.
  explicit Connection(const Address& address);
  ~Connection();
  Connection(Connection&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool ok() const { return descriptor_ >= 0; }
  void Send(const std::string& text) const;
  // All that comes until the other side closes.
  std::string Read() const;
  // Until `end` has come.
  std::string ReadUntil(const std::string& end) const;

 private:
  int descriptor_ = -1;
};

// False on a machine without IPv6; the test then says so and is skipped.
bool HaveIpv6();

}  // namespace deberta::server

#endif  // TESTS_SERVER_BASE_CONNECT_H_
