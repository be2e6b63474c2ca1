#include "server/net/acceptor.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace deberta::server {

Acceptor::Acceptor(std::vector<int> sockets) {
  for (const int socket : sockets) sockets_.emplace_back(socket);
}

Descriptor Acceptor::Reserve() {
  return Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

Acceptor::Outcome Acceptor::Accept(int socket, Descriptor* client,
                                   PeerAddress* peer) {
  sockaddr_storage address = {};
  socklen_t bytes = sizeof(address);
  *client = Descriptor(accept4(socket, reinterpret_cast<sockaddr*>(&address),
                               &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (client->ok()) {
    const int on = 1;
    if (address.ss_family != AF_UNIX)
      setsockopt(client->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    *peer = ReadPeerAddress(address);
    return Outcome::kAccepted;
  }
  if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS &&
      errno != ENOMEM) {
    // Nobody, or one that has gone again.
    return Outcome::kNone;
  }
  reserve_.Close();
  Descriptor refused(accept4(socket, nullptr, nullptr, SOCK_CLOEXEC));
  const bool turned_away = refused.ok();
  refused.Close();
  reserve_ = Reserve();
  return turned_away ? Outcome::kNoDescriptors : Outcome::kStuck;
}

}  // namespace deberta::server
