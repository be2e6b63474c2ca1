// Hand-made zip archives for tests, true or lying.

#ifndef TESTS_MODEL_CHECKPOINT_ZIP_BYTES_H_
#define TESTS_MODEL_CHECKPOINT_ZIP_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace deberta::model {

// The little-endian bytes of a number.
template <typename T>
std::string Bytes(T number) {
  std::string bytes(sizeof(number), '\0');
  std::memcpy(bytes.data(), &number, sizeof(number));
  return bytes;
}

// What is absent is written as it should be.
struct ZipEntry {
  std::string name = {};
  std::string data = {};
  uint16_t method = 0;
  uint16_t flags = 0;
  std::optional<uint32_t> bytes = {};
  std::optional<uint32_t> stored_bytes = {};
  std::optional<uint32_t> offset = {};
  std::string local_name = {};  // "": the same
  std::optional<uint32_t> local_bytes = {};
  std::string extra = {};  // of the central header
};

struct ZipEnd {
  std::optional<uint16_t> entries = {};
  std::optional<uint32_t> bytes = {};
  std::optional<uint32_t> offset = {};
  std::string before = {};  // lies between the directory and the end record
  std::string comment = {};
  std::optional<uint16_t> comment_bytes = {};
};

struct ZipArchive {
  std::string bytes;
  size_t directory = 0;  // its offset
  size_t directory_bytes = 0;
};

inline ZipArchive MakeZip(const std::vector<ZipEntry>& entries,
                          const ZipEnd& end = {}) {
  std::string file;
  std::string directory;
  for (const ZipEntry& entry : entries) {
    const auto size = static_cast<uint32_t>(entry.data.size());
    const auto offset = static_cast<uint32_t>(file.size());
    const std::string& local =
        entry.local_name.empty() ? entry.name : entry.local_name;
    file += "PK\x03\x04" + Bytes<uint16_t>(20) + Bytes(entry.flags) +
            Bytes(entry.method) + std::string(8, '\0') +
            Bytes(entry.local_bytes.value_or(size)) +
            Bytes(entry.local_bytes.value_or(size)) +
            Bytes(static_cast<uint16_t>(local.size())) + Bytes<uint16_t>(0) +
            local + entry.data;
    directory +=
        "PK\x01\x02" + Bytes<uint32_t>(20) + Bytes(entry.flags) +
        Bytes(entry.method) + std::string(8, '\0') +
        Bytes(entry.stored_bytes.value_or(entry.bytes.value_or(size))) +
        Bytes(entry.bytes.value_or(size)) +
        Bytes(static_cast<uint16_t>(entry.name.size())) +
        Bytes(static_cast<uint16_t>(entry.extra.size())) +
        std::string(10, '\0') + Bytes(entry.offset.value_or(offset)) +
        entry.name + entry.extra;
  }
  const auto count = static_cast<uint16_t>(entries.size());
  const auto directory_bytes = static_cast<uint32_t>(directory.size());
  const auto directory_offset = static_cast<uint32_t>(file.size());
  file += directory + end.before + "PK\x05\x06" + Bytes<uint32_t>(0) +
          Bytes(end.entries.value_or(count)) +
          Bytes(end.entries.value_or(count)) +
          Bytes(end.bytes.value_or(directory_bytes)) +
          Bytes(end.offset.value_or(directory_offset)) +
          Bytes(end.comment_bytes.value_or(
              static_cast<uint16_t>(end.comment.size()))) +
          end.comment;
  return {file, directory_offset, directory_bytes};
}

inline std::string ZipBytes(const std::vector<ZipEntry>& entries,
                            const ZipEnd& end = {}) {
  return MakeZip(entries, end).bytes;
}

// The records that a Zip64 archive has before its end record.
inline std::string Zip64End(uint64_t entries, uint64_t bytes, uint64_t offset,
                            uint64_t at) {
  return "PK\x06\x06" + Bytes<uint64_t>(44) + Bytes<uint32_t>(0x2d002d) +
         Bytes<uint64_t>(0) + Bytes(entries) + Bytes(entries) + Bytes(bytes) +
         Bytes(offset) + "PK\x06\x07" + Bytes<uint32_t>(0) + Bytes(at) +
         Bytes<uint32_t>(1);
}

}  // namespace deberta::model

#endif  // TESTS_MODEL_CHECKPOINT_ZIP_BYTES_H_
