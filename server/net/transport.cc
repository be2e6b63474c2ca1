#include "server/net/transport.h"

#include <sys/socket.h>

#include <cerrno>

namespace deberta::server {
namespace {

bool Blocked(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

IoResult PlainTransport::Read(char* bytes, size_t size) {
  const ssize_t count = recv(descriptor_, bytes, size, 0);
  if (count > 0) return {Io::kDone, static_cast<size_t>(count)};
  if (count == 0) return {Io::kEnded};
  return {Blocked(errno) ? Io::kBlocked : Io::kBroken};
}

IoResult PlainTransport::Write(std::string_view bytes) {
  const ssize_t count =
      send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (count >= 0) return {Io::kDone, static_cast<size_t>(count)};
  return {Blocked(errno) ? Io::kBlocked : Io::kBroken};
}

void PlainTransport::End() { shutdown(descriptor_, SHUT_WR); }

}  // namespace deberta::server
