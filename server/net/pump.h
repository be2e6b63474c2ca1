// One client's connection: the bytes between its socket and the server's, which
// is there once the client has said that it speaks HTTP/2.
//
// Bytes that the other side does not take wait in one buffer a direction, and
// no more are read meanwhile.

#ifndef SERVER_NET_PUMP_H_
#define SERVER_NET_PUMP_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "server/net/connection_counts.h"
#include "server/net/connection_limits.h"
#include "server/net/descriptor.h"
#include "server/net/frame_scanner.h"
#include "server/net/pipe_buffer.h"
#include "server/net/transport.h"

namespace deberta::server {

// What connections have in common; outlives them.
struct PumpEnvironment {
  ConnectionLimits limits;
  PipeBlocks blocks;
};

class Pump {
 public:
  // A socket of the server's that is connected to it, or why there is none.
  using Connect = std::function<std::optional<CloseReason>(Pump&, Descriptor*)>;

  Pump(Descriptor client, std::unique_ptr<Transport> transport,
       PeerBudget* peer, PumpEnvironment* environment, Connect connect,
       absl::Time now);

  // Moves what can be moved; `client` and `server` are what epoll told of the
  // sockets.
  void Run(uint32_t client, uint32_t server, absl::Time now);
  // Ends what has taken too long.
  void Tick(absl::Time now);
  // Asks the client to begin no more calls here, as soon as a frame of the
  // server's has ended; moved by the next Run().
  void SendAway(absl::Time now);
  // Whether it has heard, so that what it began before has come; or there is
  // nobody who could begin a call.
  bool knows_to_leave() const {
    return state_ != State::kOpen || scanner_.answered_pings() >= last_ping_;
  }
  // Ends the connection: the server sees it end now, the client after what it
  // is told. Once.
  void End(CloseReason reason, absl::Time now);
  // As End, at once and without a word, which takes no memory.
  void Abandon(CloseReason reason);

  // What to ask epoll for; 0: nothing.
  uint32_t client_events() const;
  uint32_t server_events() const;
  // When there is more to move though no socket says so.
  absl::Time again_at() const { return again_at_; }
  // Whether a handshake or the server's side is still to be made, which takes
  // longer than moving bytes.
  bool is_new() const {
    return state_ == State::kHandshake || state_ == State::kPreface;
  }

  // Set once it is ending; it may be destroyed when it is over.
  std::optional<CloseReason> reason() const { return reason_; }
  bool over() const { return state_ == State::kOver; }

  int client() const { return client_.get(); }
  int server() const { return server_.get(); }  // -1 where there is none
  size_t open_streams() const { return scanner_.open_streams(); }
  std::string certificate_name() const {
    return transport_->certificate_name();
  }

 private:
  // kFarewell: all is said, and the client is left time to read it, as bytes
  // that are on their way are lost if the socket is closed while it sends.
  enum class State { kHandshake, kPreface, kOpen, kFarewell, kOver };

  void ShakeHands(absl::Time now);
  void MoveUp(absl::Time now);
  void MoveDown(absl::Time now);
  // Whether there are bytes in up_, that may be passed on.
  bool ReadClient(absl::Time now);
  bool WriteServer();
  // Whether there are bytes in down_ now.
  bool ReadServer();
  bool AskToLeave();
  bool WriteClient(absl::Time now);
  void StartServer(absl::Time now);
  void Discard();
  void BeginFarewell(CloseReason reason, absl::Time now);

  const ConnectionLimits& limits_;
  Descriptor client_;
  const std::unique_ptr<Transport> transport_;
  const Connect connect_;
  Descriptor server_;
  FrameScanner scanner_;
  PipeBuffer up_;    // to the server
  PipeBuffer down_;  // to the client
  State state_ = State::kHandshake;
  std::optional<CloseReason> reason_;
  absl::Time again_at_ = absl::InfiniteFuture();
  bool paused_ = false;  // until then nothing is read from the client
  bool client_ended_ = false;
  bool server_ended_ = false;  // takes no more
  bool client_blocked_ = false;
  bool server_blocked_ = false;
  bool client_drained_ = false;
  bool server_drained_ = false;
  bool to_leave_ = false;  // and it was not told yet
  // After which it was told.
  uint64_t last_ping_ = std::numeric_limits<uint64_t>::max();
  size_t discarded_ = 0;
  const absl::Time opened_;
  absl::Time last_read_;     // from the client
  absl::Time last_written_;  // to the client, or begun to
  absl::Time headers_since_ = absl::InfiniteFuture();
  absl::Time farewell_since_;
};

}  // namespace deberta::server

#endif  // SERVER_NET_PUMP_H_
