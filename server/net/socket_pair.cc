#include "server/net/socket_pair.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <random>

#include "absl/strings/str_cat.h"

namespace deberta::server {

std::string RandomSocketPrefix() {
  std::random_device random;
  return absl::StrCat("deberta-", absl::Hex(random(), absl::kZeroPad8),
                      absl::Hex(random(), absl::kZeroPad8), "-");
}

absl::StatusOr<SocketPair> MakeSocketPair(std::string_view name) {
  std::array<int, 2> ends = {};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                 ends.data()) != 0) {
    return absl::ErrnoToStatus(errno, "socketpair");
  }
  SocketPair pair = {Descriptor(ends[0]), Descriptor(ends[1])};
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof(address.sun_path) - 1);
  const auto bytes =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (bind(pair.named.get(), reinterpret_cast<const sockaddr*>(&address),
           bytes) != 0) {
    return absl::ErrnoToStatus(errno, "bind");
  }
  return pair;
}

}  // namespace deberta::server
