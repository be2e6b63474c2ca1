// The thread of a front: what epoll tells -> connections. One for which there
// is no memory is closed, and the others go on.

#ifndef SERVER_NET_FRONT_LOOP_H_
#define SERVER_NET_FRONT_LOOP_H_

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/base/log.h"
#include "server/base/mutex.h"
#include "server/net/acceptor.h"
#include "server/net/connection_counts.h"
#include "server/net/connection_limits.h"
#include "server/net/peer.h"
#include "server/net/pump.h"
#include "server/net/tls.h"

namespace deberta::server {

struct FrontOptions {
  ConnectionLimits limits = {};
  std::unique_ptr<TlsContext> tls = nullptr;  // null: the bytes as they come
  // Takes a connected socket, which it closes; called from the front's thread.
  std::function<void(int descriptor)> connect;
  // These outlive the front.
  PeerTable* peers = nullptr;
  ConnectionCounts* counts = nullptr;
  Log* log = nullptr;  // may be null
};

class FrontLoop {
 public:
  // Owns the listening sockets.
  FrontLoop(std::vector<int> sockets, FrontOptions options);
  // Before Run(): asks for the descriptors that it needs.
  absl::Status Prepare();

  // Until Stop().
  void Run();

  // From other threads.
  void StopAccepting();
  bool WaitUntilAllKnow(absl::Duration time);
  void WaitUntilEmpty(absl::Duration time);
  void Stop();

 private:
  // Of a peer that is connected, or was until a moment ago: who comes back
  // finds what was left.
  struct Share {
    size_t connections = 0;
    PeerBudget budget;
  };
  struct Client {
    std::unique_ptr<Pump> pump;
    PeerAddress address;
    std::string name;  // in the table of peers
    size_t streams = 0;
    uint32_t client_events = 0;  // that epoll is asked for
    uint32_t server_events = 0;
    bool ending = false;  // counted as closed
    bool waits = false;   // in again_
  };
  // Whole after an insertion that found no memory, which Abseil's are not.
  using Clients = std::unordered_map<uint64_t, Client>;

  // Until `flag`, which `changed_` tells of, is set, at most so long. Whether
  // it is.
  bool WaitFor(const bool& flag, absl::Duration time)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int Timeout() const;
  bool NeedsTicks() const;
  // Whether all clients have heard that they are to leave.
  bool AllKnow() const {
    return std::all_of(clients_.begin(), clients_.end(), [](const auto& entry) {
      return entry.second.pump->knows_to_leave();
    });
  }
  void OnEvents(size_t count, absl::Time now);
  void OnEvent(const epoll_event& event, absl::Time now);
  void OnWake(absl::Time now);
  void OnTick(absl::Time now);
  void RefreshCertificate();
  // Runs the connections whose time has come.
  void RunAgain(absl::Time now);
  void KeepIfMore(uint64_t id, Client* client);
  void SetAccepting(bool accepting);

  void AcceptFrom(size_t socket, absl::Time now);
  // Whether there may be another one.
  bool AcceptOne(int socket, absl::Time now);
  void Admit(Descriptor client, PeerAddress address, absl::Time now);
  std::optional<CloseReason> Refusal(const PeerAddress& address) const;
  // A socket pair: one end for the connection, the other for the server.
  std::optional<CloseReason> ConnectToServer(Client& client, Pump& connection,
                                             Descriptor* out);
  void RunClient(uint64_t id, uint32_t client_events, uint32_t server_events,
                 absl::Time now);
  // Ends a connection that takes more of all open streams than its share.
  void CheckStreams(Client& client, absl::Time now);
  // Asks epoll for what the connection needs now, or removes it.
  void Settle(Clients::iterator at);
  void LeaveShare(const std::string& name);
  // Forgets peers that have gone and whose budgets are whole again.
  void ForgetPeers(absl::Time now);

  FrontOptions options_;
  PumpEnvironment environment_;
  Acceptor acceptor_;
  const std::string name_prefix_;
  Descriptor epoll_;
  Descriptor wake_;
  std::array<epoll_event, 128> events_;
  bool accepting_ = false;
  bool draining_ = false;  // accepts no more, for good
  uint64_t next_id_;
  size_t streams_ = 0;  // open, of all connections
  int new_left_ = 0;    // connections that may be set up in this turn
  absl::Time next_tick_ = absl::InfiniteFuture();
  Clients clients_;
  std::unordered_map<std::string, Share> shares_;
  size_t gone_peers_ = 0;        // shares without a connection
  std::vector<uint64_t> again_;  // that have more to move, now or later
  std::vector<uint64_t> due_;    // of them, those of this turn

  Mutex mutex_;
  CondVar changed_;
  bool stop_accepting_ ABSL_GUARDED_BY(mutex_) = false;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_accepting_ ABSL_GUARDED_BY(mutex_) = false;
  bool all_know_ ABSL_GUARDED_BY(mutex_) = false;
  bool empty_ ABSL_GUARDED_BY(mutex_) = true;
};

}  // namespace deberta::server

#endif  // SERVER_NET_FRONT_LOOP_H_
