// HTTP/2's frame headers in a stream of bytes that comes in any pieces
// (RFC 9113, 4.1). Payloads are passed over.

#ifndef SERVER_NET_FRAME_READER_H_
#define SERVER_NET_FRAME_READER_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace deberta::server {

struct FrameHeader {
  uint32_t length = 0;
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t stream = 0;
};

namespace frame {
inline constexpr size_t kHeaderBytes = 9;
inline constexpr uint8_t kData = 0;
inline constexpr uint8_t kHeaders = 1;
inline constexpr uint8_t kRstStream = 3;
inline constexpr uint8_t kSettings = 4;
inline constexpr uint8_t kPing = 6;
inline constexpr uint8_t kGoaway = 7;
inline constexpr uint8_t kContinuation = 9;
inline constexpr uint8_t kEndStream = 0x1;
inline constexpr uint8_t kAck = 0x1;  // of a PING
inline constexpr uint8_t kEndHeaders = 0x4;
}  // namespace frame

class FrameReader {
 public:
  // Calls `on_header` for each header that `bytes` complete, until it returns
  // false; then the rest is not read, and this returns false.
  template <typename OnHeader>
  bool Read(std::string_view bytes, OnHeader on_header) {
    while (!bytes.empty()) {
      if (payload_left_ > 0) {
        const size_t skipped = std::min<size_t>(payload_left_, bytes.size());
        payload_left_ -= static_cast<uint32_t>(skipped);
        bytes.remove_prefix(skipped);
        continue;
      }
      const size_t taken = std::min(frame::kHeaderBytes - have_, bytes.size());
      std::copy_n(bytes.begin(), taken, header_.begin() + have_);
      have_ += taken;
      bytes.remove_prefix(taken);
      if (have_ < frame::kHeaderBytes) break;
      have_ = 0;
      const FrameHeader header = Parsed();
      payload_left_ = header.length;
      if (!on_header(header)) return false;
    }
    return true;
  }

  // Whether the bytes read end with a frame.
  bool between_frames() const { return have_ == 0 && payload_left_ == 0; }

 private:
  FrameHeader Parsed() const {
    const auto byte = [this](size_t i) {
      return static_cast<uint32_t>(static_cast<uint8_t>(header_[i]));
    };
    return {.length = byte(0) << 16 | byte(1) << 8 | byte(2),
            .type = static_cast<uint8_t>(byte(3)),
            .flags = static_cast<uint8_t>(byte(4)),
            .stream = (byte(5) & 0x7f) << 24 | byte(6) << 16 | byte(7) << 8 |
                      byte(8)};
  }

  std::array<char, frame::kHeaderBytes> header_ = {};
  size_t have_ = 0;
  uint32_t payload_left_ = 0;
};

}  // namespace deberta::server

#endif  // SERVER_NET_FRAME_READER_H_
