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
  std::optional<uint8_t> ReadU8() { return Read<uint8_t>(); }
  std::optional<uint16_t> ReadU16() { return Read<uint16_t>(); }
  std::optional<uint32_t> ReadU32() { return Read<uint32_t>(); }
  std::optional<uint64_t> ReadU64() { return Read<uint64_t>(); }

 private:
  template <typename T>
  std::optional<T> Read() {
    const auto bytes = Take(sizeof(T));
    if (!bytes) return std::nullopt;
    T value;
    std::memcpy(&value, bytes->data(), sizeof(value));
    return value;
  }

  std::span<const std::byte> rest_;
};

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_BYTE_READER_H_
