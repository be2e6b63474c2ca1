// HTTP/2's bytes, written by hand.

#ifndef TESTS_SERVER_NET_FRAMES_H_
#define TESTS_SERVER_NET_FRAMES_H_

#include <cstdint>
#include <string>

#include "server/net/frame_reader.h"

namespace deberta::server {

inline constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline std::string Frame(uint8_t type, uint8_t flags, uint32_t stream,
                         const std::string& payload = "") {
  std::string bytes;
  const auto put = [&bytes](uint32_t value, int count) {
    for (int i = count - 1; i >= 0; --i)
      bytes.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  };
  put(static_cast<uint32_t>(payload.size()), 3);
  put(type, 1);
  put(flags, 1);
  put(stream, 4);
  return bytes + payload;
}

inline std::string Headers(uint32_t stream, const std::string& block = "abc") {
  return Frame(frame::kHeaders, frame::kEndHeaders, stream, block);
}
inline std::string Reset(uint32_t stream) {
  return Frame(frame::kRstStream, 0, stream, std::string(4, '\0'));
}
// By which a client begins no more streams; all that it began are taken.
inline const std::string kGracefulGoaway =
    Frame(frame::kGoaway, 0, 0, std::string("\x7f\xff\xff\xff\0\0\0\0", 8));
// And what tells that it has heard.
inline const std::string kSentAway =
    kGracefulGoaway + Frame(frame::kPing, 0, 0, std::string("deberta\0", 8));
inline const std::string kHeard =
    Frame(frame::kPing, frame::kAck, 0, std::string("deberta\0", 8));
// A server's answer.
inline std::string Trailers(uint32_t stream) {
  return Frame(frame::kHeaders, frame::kEndHeaders | frame::kEndStream, stream,
               "xyz");
}

}  // namespace deberta::server

#endif  // TESTS_SERVER_NET_FRAMES_H_
