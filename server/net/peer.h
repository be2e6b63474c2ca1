// Who is at the other end of a connection.
//
// gRPC sees each connection come from a socket of the front's, whose name is
// all that it can tell about a call: this table knows whose name that is.

#ifndef SERVER_NET_PEER_H_
#define SERVER_NET_PEER_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace deberta::server {

struct Peer {
  // "1.2.3.4", "::1" or "unix", without a port; "" where it is not known.
  std::string address = {};
  // Of the TLS certificate that the client has proved to own: its first URI,
  // else its first DNS name, else its common name. "" without TLS or without a
  // certificate.
  std::string certificate_name = {};

  friend bool operator==(const Peer&, const Peer&) = default;
};

// Reads what gRPC tells of a peer that it accepted itself: "ipv4:1.2.3.4:5",
// "ipv6:%5B::1%5D:5", "unix:/path", "inproc".
Peer ParsePeer(std::string_view grpc_peer);

// Thread-safe.
class PeerTable {
 public:
  // `name` is that of a socket in the abstract namespace, without its leading
  // zero, and never used again.
  void Add(std::string name, Peer peer);
  void Remove(std::string_view name);

  // Of what ServerContext::peer() returns. A connection that has ended is not
  // known any more.
  Peer Find(std::string_view grpc_peer) const;

 private:
  mutable Mutex mutex_;
  // Whole after an insertion that found no memory, which Abseil's are not.
  std::map<std::string, Peer, std::less<>> peers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace deberta::server

#endif  // SERVER_NET_PEER_H_
