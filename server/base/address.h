// Where a server listens, as flags write it.

#ifndef SERVER_BASE_ADDRESS_H_
#define SERVER_BASE_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace deberta::server {

struct Address {
  std::string host = {};  // a name, an IPv4 or an IPv6 address (no brackets)
  int port = 0;           // 0: any that is free
  // Of a unix socket, absolute; host and port are then unset.
  std::string path = {};

  bool is_unix() const { return !path.empty(); }
  // As ParseAddress() reads it.
  std::string ToString() const;

  friend bool operator==(const Address&, const Address&) = default;
};

// Reads "HOST:PORT", "[IPV6]:PORT" or "unix:/PATH". InvalidArgument says what
// was expected, what was got and what is wrong with it. Names are not resolved.
absl::StatusOr<Address> ParseAddress(absl::string_view text);

// Whether only this machine can reach it: a unix socket, or a loopback address
// by number or as "localhost".
bool IsLocal(const Address& address);

}  // namespace deberta::server

#endif  // SERVER_BASE_ADDRESS_H_
