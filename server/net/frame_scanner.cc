#include "server/net/frame_scanner.h"

#include <algorithm>

namespace deberta::server {
namespace {

// Frames that carry nothing: so many a second and at once, and some more for
// each stream and for each frame that brings the client an answer, which it
// tells its windows after and measures its way by.
constexpr double kIdleFramesPerSecond = 1000;
constexpr double kIdleFramesAtOnce = 10'000;
constexpr double kIdleFramesEarned = 4;
constexpr double kAnsweredCost = 20;  // of one that gRPC answers
// A smaller piece of a message costs the server more than it is.
constexpr uint32_t kSmallDataBytes = 256;

// A connection that begins no more than this part of what its peer may is not
// paused for the sake of the others.
constexpr double kConnectionsOfPeer = 128;

constexpr uint8_t kNoError = 0;
constexpr uint8_t kEnhanceYourCalm = 0xb;
// gRPC numbers its own from 0, and passes over answers to others.
constexpr char kPingData[] = "deberta";
constexpr uint32_t kEveryStream = 0x7fffffff;

}  // namespace

FrameScanner::FrameScanner(const ConnectionLimits* limits, PeerBudget* peer)
    : limits_(*limits),
      peer_(peer),
      resets_(limits->max_resets_per_second, 2 * limits->max_resets_per_second),
      calls_(limits->max_calls_per_second / kConnectionsOfPeer,
             limits->max_calls_per_second / kConnectionsOfPeer / 4),
      idle_frames_(kIdleFramesPerSecond, kIdleFramesAtOnce) {}

std::optional<CloseReason> FrameScanner::FromClient(std::string_view bytes,
                                                    absl::Time now) {
  if (!has_preface()) {
    const std::string_view rest = kPreface.substr(preface_read_);
    const size_t count = std::min(rest.size(), bytes.size());
    if (bytes.substr(0, count) != rest.substr(0, count))
      return CloseReason::kProtocol;
    preface_read_ += count;
    bytes.remove_prefix(count);
  }
  std::optional<CloseReason> reason;
  from_client_.Read(bytes, [&](const FrameHeader& header) {
    reason = OnClientFrame(header, now);
    return !reason.has_value();
  });
  return reason;
}

std::optional<CloseReason> FrameScanner::ToClient(std::string_view bytes,
                                                  absl::Time now) {
  sent_any_ = sent_any_ || !bytes.empty();
  std::optional<CloseReason> reason;
  to_client_.Read(bytes, [&](const FrameHeader& header) {
    const bool ends = (header.flags & frame::kEndStream) != 0;
    if (header.type == frame::kHeaders || header.type == frame::kContinuation)
      in_sent_block_ = (header.flags & frame::kEndHeaders) == 0;
    if (header.type == frame::kPing && (header.flags & frame::kAck) == 0)
      ++pings_;
    if (header.type == frame::kRstStream) {
      reason = OnReset(header, now);
    } else if (header.type == frame::kData || header.type == frame::kHeaders) {
      idle_frames_.Add(kIdleFramesEarned);
      if (ends) open_.erase(header.stream);
    }
    return !reason.has_value();
  });
  return reason;
}

absl::Time FrameScanner::paused_until() const {
  if (peer_ == nullptr) return absl::InfinitePast();
  return std::min(peer_->calls.even_at(), calls_.even_at());
}

bool FrameScanner::amid_frame() const {
  return in_block_ || !from_client_.between_frames();
}

std::string FrameScanner::Goaway() const {
  return GoawayFrame(last_stream_, kEnhanceYourCalm);
}

std::string FrameScanner::GracefulGoaway() const {
  return GoawayFrame(kEveryStream, kNoError);
}

std::string FrameScanner::Ping() {
  std::string bytes(frame::kHeaderBytes, '\0');
  bytes[2] = static_cast<char>(sizeof(kPingData));
  bytes[3] = static_cast<char>(frame::kPing);
  return bytes.append(kPingData, sizeof(kPingData));
}

std::string FrameScanner::GoawayFrame(uint32_t last_stream,
                                      uint8_t code) const {
  if (!sent_any_ || in_sent_block_ || !to_client_.between_frames()) return "";
  std::string bytes(frame::kHeaderBytes + 8, '\0');
  bytes[2] = 8;  // payload
  bytes[3] = static_cast<char>(frame::kGoaway);
  for (size_t i = 0; i < 4; ++i) {
    bytes[frame::kHeaderBytes + i] =
        static_cast<char>(last_stream >> (24 - 8 * i) & 0xff);
  }
  bytes.back() = static_cast<char>(code);
  return bytes;
}

std::optional<CloseReason> FrameScanner::OnClientFrame(
    const FrameHeader& header, absl::Time now) {
  // RFC 9113, 6.10: nothing else may stand within a header block.
  if (in_block_ != (header.type == frame::kContinuation))
    return CloseReason::kProtocol;
  switch (header.type) {
    case frame::kHeaders:
      return OnHeaders(header, now);
    case frame::kContinuation:
      if (auto reason = OnBlock(header); reason.has_value()) return reason;
      return OnIdle(now);
    case frame::kRstStream:
      return open_.contains(header.stream) ? OnReset(header, now) : OnIdle(now);
    case frame::kData:
      if (header.length >= kSmallDataBytes ||
          (header.flags & frame::kEndStream) != 0) {
        return std::nullopt;
      }
      return OnIdle(now);
    case frame::kPing:
      if ((header.flags & frame::kAck) != 0) ++answered_pings_;
      return OnIdle(now, kAnsweredCost);
    case frame::kSettings:
      return OnIdle(now, kAnsweredCost);
    default:
      return OnIdle(now);
  }
}

std::optional<CloseReason> FrameScanner::OnHeaders(const FrameHeader& header,
                                                   absl::Time now) {
  block_bytes_ = 0;
  if (auto reason = OnBlock(header); reason.has_value()) return reason;
  // Trailers, or what gRPC refuses.
  if (header.stream <= last_stream_) return OnIdle(now);
  last_stream_ = header.stream;
  idle_frames_.Add(kIdleFramesEarned);
  open_.insert(header.stream);
  calls_.Owe(now);
  if (peer_ != nullptr) peer_->calls.Owe(now);
  if (open_.size() > limits_.max_streams) return CloseReason::kStreams;
  return std::nullopt;
}

std::optional<CloseReason> FrameScanner::OnReset(const FrameHeader& header,
                                                 absl::Time now) {
  // The server too resets streams, after their answers, or because of what the
  // client sent on them.
  if (open_.erase(header.stream) == 0) return std::nullopt;
  if (resets_.Take(now) && (peer_ == nullptr || peer_->resets.Take(now))) {
    return std::nullopt;
  }
  return CloseReason::kResets;
}

std::optional<CloseReason> FrameScanner::OnBlock(const FrameHeader& header) {
  in_block_ = (header.flags & frame::kEndHeaders) == 0;
  block_bytes_ += header.length;
  if (block_bytes_ > limits_.max_header_block_bytes)
    return CloseReason::kHeaders;
  return std::nullopt;
}

std::optional<CloseReason> FrameScanner::OnIdle(absl::Time now, double cost) {
  if (idle_frames_.Take(now, cost)) return std::nullopt;
  return CloseReason::kFlood;
}

}  // namespace deberta::server
