// Watches the frames of one HTTP/2 connection for what costs a server more than
// it costs the client: streams reset as soon as they are opened, header blocks
// without an end, frames that carry nothing.
//
// A pure state machine over the bytes of both directions, in any pieces.

#ifndef SERVER_NET_FRAME_SCANNER_H_
#define SERVER_NET_FRAME_SCANNER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "server/base/rate_bucket.h"
#include "server/net/connection_counts.h"
#include "server/net/connection_limits.h"
#include "server/net/frame_reader.h"
#include "server/net/peer_budget.h"

namespace deberta::server {

class FrameScanner {
 public:
  // Both outlive the scanner; `peer` may be null.
  FrameScanner(const ConnectionLimits* limits, PeerBudget* peer);

  // Why the connection has to end, if it has; `bytes` are then not to be
  // passed on.
  std::optional<CloseReason> FromClient(std::string_view bytes, absl::Time now);
  std::optional<CloseReason> ToClient(std::string_view bytes, absl::Time now);

  // Whether the client has said that it speaks HTTP/2.
  bool has_preface() const { return preface_read_ == kPreface.size(); }
  // Whether the client is amid a frame or a header block; of the latter,
  // nothing else may come before its end.
  bool amid_frame() const;
  bool amid_headers() const { return in_block_; }
  // When the client may begin more calls: in the past, unless both it and its
  // peer have begun more than their share.
  absl::Time paused_until() const;
  bool peer_is_paused(absl::Time now) const {
    return peer_ != nullptr && peer_->calls.even_at() > now;
  }
  // Streams that were opened and neither answered nor reset.
  size_t open_streams() const { return open_.size(); }

  // A GOAWAY, or nothing where none may stand here: of ENHANCE_YOUR_CALM, after
  // which no stream is taken; or of NO_ERROR, by which the client begins no
  // more, and those that it began before it heard are still taken.
  std::string Goaway() const;
  std::string GracefulGoaway() const;
  // A PING to stand after one: a client that has answered it has heard.
  static std::string Ping();
  // Sent to the client, and answered by it, in their order.
  uint64_t pings() const { return pings_; }
  uint64_t answered_pings() const { return answered_pings_; }

 private:
  static constexpr std::string_view kPreface =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

  std::optional<CloseReason> OnClientFrame(const FrameHeader& header,
                                           absl::Time now);
  std::optional<CloseReason> OnHeaders(const FrameHeader& header,
                                       absl::Time now);
  std::string GoawayFrame(uint32_t last_stream, uint8_t code) const;
  std::optional<CloseReason> OnReset(const FrameHeader& header, absl::Time now);
  std::optional<CloseReason> OnBlock(const FrameHeader& header);
  // A frame that carries nothing; `cost` in those that gRPC answers least to.
  std::optional<CloseReason> OnIdle(absl::Time now, double cost = 1);

  const ConnectionLimits& limits_;
  PeerBudget* const peer_;
  RateBucket resets_;
  RateBucket calls_;
  RateBucket idle_frames_;
  FrameReader from_client_;
  FrameReader to_client_;
  bool sent_any_ = false;
  size_t preface_read_ = 0;
  bool in_block_ = false;
  size_t block_bytes_ = 0;
  bool in_sent_block_ = false;  // of the server's headers
  uint32_t last_stream_ = 0;
  uint64_t pings_ = 0;
  uint64_t answered_pings_ = 0;
  absl::flat_hash_set<uint32_t> open_;
};

}  // namespace deberta::server

#endif  // SERVER_NET_FRAME_SCANNER_H_
