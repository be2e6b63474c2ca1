// Takes connections off listening sockets, also when descriptors have run out.

#ifndef SERVER_NET_ACCEPTOR_H_
#define SERVER_NET_ACCEPTOR_H_

#include <vector>

#include "server/net/descriptor.h"
#include "server/net/peer_address.h"

namespace deberta::server {

class Acceptor {
 public:
  enum class Outcome {
    kAccepted,
    kNone,           // nobody waits
    kNoDescriptors,  // one waited, and was turned away
    kStuck,          // one waits, and cannot even be turned away now
  };

  // Of sockets that do not block.
  explicit Acceptor(std::vector<int> sockets);

  const std::vector<Descriptor>& sockets() const { return sockets_; }
  Outcome Accept(int socket, Descriptor* client, PeerAddress* peer);
  void Close() { sockets_.clear(); }

 private:
  // Closed to make room for one that is turned away.
  static Descriptor Reserve();

  std::vector<Descriptor> sockets_;
  Descriptor reserve_ = Reserve();
};

}  // namespace deberta::server

#endif  // SERVER_NET_ACCEPTOR_H_
