#include "server/base/listening_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace deberta::server {
namespace {

absl::Status SystemError(int error, absl::string_view remark = "") {
  if (error == EADDRNOTAVAIL) remark = "no interface of this machine has it";
  return absl::Status(
      absl::ErrnoToStatusCode(error),
      absl::StrCat(strerror(error), remark.empty() ? "" : ": ", remark));
}

// A descriptor, or the error's number, negative.
int NewSocket(int family) {
  const int descriptor =
      socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return descriptor < 0 ? -errno : descriptor;
}

// A socket that listens on `address`, or the error's number, negative.
int ListenOn(const sockaddr* address, socklen_t bytes) {
  const int descriptor = NewSocket(address->sa_family);
  if (descriptor < 0) return descriptor;
  const int on = 1;
  const int off = 0;
  if (address->sa_family != AF_UNIX)
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  // [::] stands for IPv4 too, whatever net.ipv6.bindv6only says.
  if (address->sa_family == AF_INET6)
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  if (bind(descriptor, address, bytes) == 0 &&
      listen(descriptor, SOMAXCONN) == 0) {
    return descriptor;
  }
  const int error = errno;
  close(descriptor);
  return -error;
}

// Where the port stands in an address, in network byte order.
in_port_t& PortOf(sockaddr_storage& address) {
  return address.ss_family == AF_INET6
             ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
             : reinterpret_cast<sockaddr_in&>(address).sin_port;
}

// The addresses of a host, each once, with `port`.
absl::StatusOr<std::vector<std::pair<sockaddr_storage, socklen_t>>> Resolve(
    const std::string& host, int port) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error == EAI_SYSTEM) return SystemError(errno);
  if (error != 0) {
    return absl::UnavailableError(
        absl::StrCat("the host cannot be resolved: ", gai_strerror(error)));
  }
  const absl::Cleanup free = [found] { freeaddrinfo(found); };
  std::vector<std::pair<sockaddr_storage, socklen_t>> addresses;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    sockaddr_storage address = {};
    std::memcpy(&address, info->ai_addr, info->ai_addrlen);
    const bool known =
        std::any_of(addresses.begin(), addresses.end(), [&](const auto& other) {
          return std::memcmp(&other.first, &address, sizeof(address)) == 0;
        });
    if (!known) addresses.emplace_back(address, info->ai_addrlen);
  }
  return addresses;
}

// Makes room at `path`: removes the socket of a server that has ended.
absl::Status RemoveStaleSocket(const std::string& path,
                               const sockaddr_un& address) {
  struct stat status = {};
  if (lstat(path.c_str(), &status) != 0)
    return errno == ENOENT ? absl::OkStatus() : SystemError(errno);
  if (!S_ISSOCK(status.st_mode))
    return SystemError(EADDRINUSE, "the file there is no socket");
  const int caller = NewSocket(AF_UNIX);
  if (caller < 0) return SystemError(-caller);
  const bool connected =
      connect(caller, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0;
  const int error = connected ? 0 : errno;
  close(caller);
  if (error == 0 || error == EAGAIN)  // EAGAIN: many wait to be accepted
    return SystemError(EADDRINUSE, "a process listens there");
  if (error != ECONNREFUSED) return SystemError(error);
  return unlink(path.c_str()) == 0 ? absl::OkStatus() : SystemError(errno);
}

}  // namespace

SocketFile SocketFile::At(const std::string& path) {
  SocketFile file;
  struct stat status = {};
  if (lstat(path.c_str(), &status) != 0) return file;
  file.path_ = path;
  file.device_ = status.st_dev;
  file.inode_ = status.st_ino;
  return file;
}

void SocketFile::Remove() const {
  struct stat status = {};
  if (!path_.empty() && lstat(path_.c_str(), &status) == 0 &&
      status.st_dev == device_ && status.st_ino == inode_) {
    unlink(path_.c_str());
  }
}

absl::StatusOr<ListeningSockets> ListeningSockets::Open(
    const Address& address) {
  ListeningSockets sockets;
  const absl::Status status =
      address.is_unix() ? sockets.OpenUnix(address.path)
                        : sockets.OpenInternet(address.host, address.port);
  if (!status.ok()) return status;
  return sockets;
}

ListeningSockets::~ListeningSockets() {
  file_.Remove();
  for (const int descriptor : descriptors_) close(descriptor);
}

ListeningSockets::ListeningSockets(ListeningSockets&& other) noexcept
    : descriptors_(std::exchange(other.descriptors_, {})),
      port_(other.port_),
      file_(std::exchange(other.file_, {})) {}

std::vector<int> ListeningSockets::ReleaseDescriptors() {
  return std::exchange(descriptors_, {});
}

absl::Status ListeningSockets::OpenUnix(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return SystemError(ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  if (absl::Status s = RemoveStaleSocket(path, address); !s.ok()) return s;
  const int descriptor =
      ListenOn(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  if (descriptor < 0) return SystemError(-descriptor);
  descriptors_.push_back(descriptor);
  file_ = SocketFile::At(path);
  return absl::OkStatus();
}

absl::Status ListeningSockets::OpenInternet(const std::string& host, int port) {
  auto addresses = Resolve(host, port);
  if (!addresses.ok()) return addresses.status();
  int absent = 0;
  for (auto& [address, bytes] : *addresses) {
    if (port_ != 0) PortOf(address) = htons(static_cast<uint16_t>(port_));
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const int descriptor = ListenOn(any, bytes);
    // Names often have an IPv6 address on machines without IPv6.
    if (descriptor == -EADDRNOTAVAIL || descriptor == -EAFNOSUPPORT) {
      absent = -descriptor;
      continue;
    }
    if (descriptor < 0) return SystemError(-descriptor);
    descriptors_.push_back(descriptor);
    socklen_t size = sizeof(address);
    if (getsockname(descriptor, any, &size) != 0) return SystemError(errno);
    port_ = ntohs(PortOf(address));
  }
  return descriptors_.empty() ? SystemError(absent) : absl::OkStatus();
}

}  // namespace deberta::server
