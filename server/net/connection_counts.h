// Why connections end, and how many did.

#ifndef SERVER_NET_CONNECTION_COUNTS_H_
#define SERVER_NET_CONNECTION_COUNTS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace deberta::server {

enum class CloseReason {
  kClient,       // by the client
  kServer,       // by the server: drained, too old, idle, or refused by gRPC
  kTooMany,      // more than all may have
  kPeerShare,    // more than one peer may have
  kDescriptors,  // no file descriptor was left
  kHandshake,    // no TLS or no HTTP/2 in time
  kTls,          // TLS failed, or without the certificate that is asked for
  kProtocol,     // not HTTP/2
  kIncomplete,   // a frame that did not go on
  kHeaders,      // a header block too large
  kResets,       // streams opened and reset too fast
  kStreams,      // more open streams than allowed
  kFlood,        // frames that carry nothing
  kStalled,      // the client does not read
  kMemory,       // there was no memory for it
};

inline constexpr size_t kCloseReasons =
    static_cast<size_t>(CloseReason::kMemory) + 1;

// As metrics call it.
constexpr std::string_view CloseReasonName(CloseReason reason) {
  constexpr std::array<std::string_view, kCloseReasons> kNames = {
      "client",       "server",      "connection_limit",
      "peer_limit",   "descriptors", "handshake",
      "tls",          "protocol",    "incomplete_frame",
      "header_block", "resets",      "streams",
      "flood",        "stalled",     "out_of_memory"};
  return kNames[static_cast<size_t>(reason)];
}

// Why a call was ended, and its connection was not.
enum class CallLimit {
  kMetadata,    // more metadata than a call may have
  kUnread,      // its answer was not taken in time
  kReflection,  // a reflection stream that asked too much, or for too long
};

inline constexpr size_t kCallLimits =
    static_cast<size_t>(CallLimit::kReflection) + 1;

// As metrics call it.
constexpr std::string_view CallLimitName(CallLimit limit) {
  constexpr std::array<std::string_view, kCallLimits> kNames = {
      "metadata", "answer_unread", "reflection"};
  return kNames[static_cast<size_t>(limit)];
}

// Written by one front or several, and by calls; read by anyone.
struct ConnectionCounts {
  std::atomic<int64_t> open = 0;
  std::array<std::atomic<int64_t>, kCloseReasons> closed = {};
  std::array<std::atomic<int64_t>, kCallLimits> limited = {};

  void Count(CloseReason reason) { ++closed[static_cast<size_t>(reason)]; }
  void Count(CallLimit limit) { ++limited[static_cast<size_t>(limit)]; }
};

}  // namespace deberta::server

#endif  // SERVER_NET_CONNECTION_COUNTS_H_
