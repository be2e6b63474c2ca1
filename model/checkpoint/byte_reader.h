// A cursor over untrusted bytes that cannot leave them.

#ifndef MODEL_CHECKPOINT_BYTE_READER_H_
#define MODEL_CHECKPOINT_BYTE_READER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace deberta::model {

static_assert(std::endian::native == std::endian::little,
              "weight files are read as they lie in memory");

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  size_t remaining() const { return rest_.size(); }

  // The next `count` bytes, or nothing (and no move) if there are fewer.
  std::optional<std::span<const std::byte>> Take(uint64_t count) {
    if (count > rest_.size()) return std::nullopt;
    const auto taken = rest_.first(static_cast<size_t>(count));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  // Little-endian.
  std::optional<uint64_t> ReadU64() {
    const auto bytes = Take(sizeof(uint64_t));
    if (!bytes) return std::nullopt;
    uint64_t value;
    std::memcpy(&value, bytes->data(), sizeof(value));
    return value;
  }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_BYTE_READER_H_
