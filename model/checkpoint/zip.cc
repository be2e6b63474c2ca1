#include "model/checkpoint/zip.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/byte_reader.h"
#include "model/checkpoint/untrusted_text.h"

namespace deberta::model {
namespace {

// PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3.
constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint32_t kCentralHeader = 0x02014b50;
constexpr uint32_t kZip64End = 0x06064b50;
constexpr uint32_t kZip64Locator = 0x07064b50;
constexpr uint32_t kEnd = 0x06054b50;
constexpr size_t kLocalHeaderBytes = 30;
constexpr size_t kZip64EndBytes = 56;
constexpr size_t kZip64LocatorBytes = 20;
constexpr size_t kEndBytes = 22;
constexpr uint16_t kEncrypted = 1;
constexpr uint16_t kSizesFollowData = 8;
constexpr uint16_t kZip64Extra = 1;
// "See the Zip64 field."
constexpr uint16_t kIn64Of16 = 0xffff;
constexpr uint32_t kIn64Of32 = 0xffffffff;

using Bytes = std::span<const std::byte>;

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("zip: ", absl::string_view(what.data(), what.size())));
}

absl::Status MalformedEntry(const std::string& name, const std::string& what) {
  return Malformed(absl::StrCat("entry ", Quoted(name), ": ", what));
}

// Where the central directory lies.
struct Directory {
  uint64_t entries = 0;
  uint64_t bytes = 0;
  uint64_t offset = 0;
  uint64_t limit = 0;  // where the records that end the archive begin
};

// One central header.
struct Entry {
  std::string name;
  uint16_t flags = 0;
  uint64_t bytes = 0;
  uint64_t offset = 0;  // of the local header
  uint64_t end = 0;     // of the data
};

// The last end record whose comment ends with the file.
std::optional<size_t> FindEnd(Bytes file) {
  if (file.size() < kEndBytes) return std::nullopt;
  const size_t last = file.size() - kEndBytes;
  const size_t first = last > kIn64Of16 ? last - kIn64Of16 : 0;
  for (size_t at = last + 1; at-- > first;) {
    ByteReader record(file.subspan(at));
    if (*record.ReadU32() != kEnd) continue;
    record.Take(16);
    if (*record.ReadU16() == record.remaining()) return at;
  }
  return std::nullopt;
}

// Replaces what the end record leaves to the Zip64 one; what both say must
// agree.
template <typename Narrow>
bool Widen(Narrow narrow, uint64_t wide, uint64_t& value) {
  constexpr Narrow kIn64 = static_cast<Narrow>(-1);
  if (narrow != kIn64 && narrow != wide) return false;
  value = wide;
  return true;
}

absl::StatusOr<Directory> FindDirectory(Bytes file) {
  const std::optional<size_t> end = FindEnd(file);
  if (!end) {
    return Malformed("no end record; incomplete download?");
  }
  ByteReader record(file.subspan(*end + sizeof(kEnd)));
  const uint16_t disk = *record.ReadU16();
  const uint16_t directory_disk = *record.ReadU16();
  const uint16_t entries_here = *record.ReadU16();
  const uint16_t entries = *record.ReadU16();
  const uint32_t bytes = *record.ReadU32();
  const uint32_t offset = *record.ReadU32();
  Directory directory{entries, bytes, offset, *end};
  if (entries_here != entries || disk != directory_disk ||
      (disk != 0 && disk != kIn64Of16)) {
    return Malformed("an archive of several disks");
  }
  const bool wide =
      entries == kIn64Of16 || bytes == kIn64Of32 || offset == kIn64Of32;

  std::optional<ByteReader> locator;
  if (*end >= kZip64LocatorBytes) {
    locator.emplace(file.subspan(*end - kZip64LocatorBytes));
    if (locator->ReadU32() != kZip64Locator) locator.reset();
  }
  if (!locator) {
    if (wide) return Malformed("no Zip64 locator");
    return directory;
  }
  locator->Take(4);  // disk
  const uint64_t zip64 = *locator->ReadU64();
  const uint64_t locator_at = *end - kZip64LocatorBytes;
  if (locator_at < kZip64EndBytes || zip64 > locator_at - kZip64EndBytes) {
    return Malformed(absl::StrCat("the Zip64 end record at ", zip64,
                                  " does not lie before its locator at ",
                                  locator_at));
  }
  ByteReader wide_record(file.subspan(static_cast<size_t>(zip64)));
  if (*wide_record.ReadU32() != kZip64End) {
    return Malformed(absl::StrCat("no Zip64 end record at ", zip64));
  }
  wide_record.Take(28);  // size of the record, versions, disks, entries here
  if (!Widen(entries, *wide_record.ReadU64(), directory.entries) ||
      !Widen(bytes, *wide_record.ReadU64(), directory.bytes) ||
      !Widen(offset, *wide_record.ReadU64(), directory.offset)) {
    return Malformed("the end record and the Zip64 one disagree");
  }
  directory.limit = zip64;
  return directory;
}

// Takes from the Zip64 extra field what the header leaves to it, in its order.
bool ReadZip64Extra(ByteReader extra, std::span<uint64_t* const> values) {
  if (values.empty()) return true;
  while (extra.remaining() > 0) {
    const auto id = extra.ReadU16();
    const auto size = extra.ReadU16();
    if (!id || !size) return false;
    const auto field = extra.Take(*size);
    if (!field) return false;
    if (*id != kZip64Extra) continue;
    ByteReader reader(*field);
    for (uint64_t* const value : values) {
      const auto wide = reader.ReadU64();
      if (!wide) return false;
      *value = *wide;
    }
    return true;
  }
  return false;
}

absl::StatusOr<Entry> ReadCentralHeader(ByteReader& directory) {
  constexpr size_t kFixedBytes = 46;
  const auto fixed = directory.Take(kFixedBytes);
  if (!fixed) return Malformed("the central directory ends within an entry");
  ByteReader header(*fixed);
  if (*header.ReadU32() != kCentralHeader) {
    return Malformed("the central directory holds something else");
  }
  header.Take(4);  // versions
  Entry entry;
  entry.flags = *header.ReadU16();
  const uint16_t method = *header.ReadU16();
  header.Take(8);  // time, date, checksum
  uint64_t stored = *header.ReadU32();
  entry.bytes = *header.ReadU32();
  const uint16_t name_bytes = *header.ReadU16();
  const uint16_t extra_bytes = *header.ReadU16();
  const uint16_t comment_bytes = *header.ReadU16();
  header.Take(8);  // disk, attributes
  entry.offset = *header.ReadU32();

  const auto name = directory.Take(name_bytes);
  const auto extra = directory.Take(extra_bytes);
  if (!name || !extra || !directory.Take(comment_bytes)) {
    return Malformed("the central directory ends within an entry");
  }
  entry.name.assign(reinterpret_cast<const char*>(name->data()), name->size());
  std::vector<uint64_t*> wide;
  for (uint64_t* value : {&entry.bytes, &stored, &entry.offset}) {
    if (*value == kIn64Of32) wide.push_back(value);
  }
  if (!ReadZip64Extra(ByteReader(*extra), wide)) {
    return MalformedEntry(entry.name, "malformed Zip64 field");
  }
  if ((entry.flags & kEncrypted) != 0) {
    return MalformedEntry(entry.name, "encrypted");
  }
  if (method != 0) {
    return MalformedEntry(
        entry.name,
        absl::StrCat("compressed (method ", method, "), expected stored"));
  }
  if (stored != entry.bytes) {
    return MalformedEntry(
        entry.name,
        absl::StrCat("stored in ", stored, " bytes, holds ", entry.bytes));
  }
  return entry;
}

// The entry's data, `entry.end` set. `limit` is where the directory begins.
absl::StatusOr<Bytes> ReadLocalEntry(Bytes file, uint64_t limit, Entry& entry) {
  if (limit < kLocalHeaderBytes || entry.offset > limit - kLocalHeaderBytes) {
    return MalformedEntry(
        entry.name,
        absl::StrCat("its header at ", entry.offset,
                     " does not lie before the directory at ", limit));
  }
  ByteReader reader(file.subspan(static_cast<size_t>(entry.offset),
                                 static_cast<size_t>(limit - entry.offset)));
  if (*reader.ReadU32() != kLocalHeader) {
    return MalformedEntry(entry.name,
                          absl::StrCat("no header at ", entry.offset));
  }
  reader.Take(2);  // version
  const uint16_t flags = *reader.ReadU16();
  const uint16_t method = *reader.ReadU16();
  reader.Take(8);  // time, date, checksum
  const uint32_t stored = *reader.ReadU32();
  const uint32_t bytes = *reader.ReadU32();
  const uint16_t name_bytes = *reader.ReadU16();
  const uint16_t extra_bytes = *reader.ReadU16();
  const auto name = reader.Take(name_bytes);
  const auto extra = reader.Take(extra_bytes);
  const bool same_name =
      name && name->size() == entry.name.size() &&
      std::memcmp(name->data(), entry.name.data(), name->size()) == 0;
  const auto agrees = [&](uint32_t size) {
    return size == kIn64Of32 || size == entry.bytes;
  };
  if (!extra || !same_name || method != 0 || flags != entry.flags ||
      ((flags & kSizesFollowData) == 0 &&
       (!agrees(stored) || !agrees(bytes)))) {
    return MalformedEntry(entry.name,
                          "its header disagrees with the central directory");
  }
  const auto data = reader.Take(entry.bytes);
  if (!data) {
    return MalformedEntry(
        entry.name,
        absl::StrCat("of ", entry.bytes, " bytes, only ", reader.remaining(),
                     " lie before the central directory"));
  }
  entry.end = limit - reader.remaining();
  return *data;
}

absl::Status CheckOverlaps(std::vector<Entry> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.offset < b.offset; });
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].offset < entries[i - 1].end) {
      return MalformedEntry(
          entries[i].name,
          absl::StrCat("overlaps entry ", Quoted(entries[i - 1].name)));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ZipEntries> ParseZip(std::span<const std::byte> file) {
  const absl::StatusOr<Directory> directory = FindDirectory(file);
  if (!directory.ok()) return directory.status();
  if (directory->bytes > directory->limit ||
      directory->offset > directory->limit - directory->bytes) {
    return Malformed(absl::StrCat("the central directory of ", directory->bytes,
                                  " bytes at ", directory->offset,
                                  " does not lie before the end record at ",
                                  directory->limit));
  }
  ByteReader reader(file.subspan(static_cast<size_t>(directory->offset),
                                 static_cast<size_t>(directory->bytes)));
  ZipEntries contents;
  std::vector<Entry> entries;
  while (reader.remaining() > 0) {
    absl::StatusOr<Entry> entry = ReadCentralHeader(reader);
    if (!entry.ok()) return entry.status();
    const auto data = ReadLocalEntry(file, directory->offset, *entry);
    if (!data.ok()) return data.status();
    if (!contents.emplace(entry->name, *data).second) {
      return MalformedEntry(entry->name, "listed twice");
    }
    entries.push_back(*std::move(entry));
  }
  if (entries.size() != directory->entries) {
    return Malformed(absl::StrCat("the central directory holds ",
                                  entries.size(), " entries, the end record ",
                                  "says ", directory->entries));
  }
  const absl::Status overlaps = CheckOverlaps(std::move(entries));
  if (!overlaps.ok()) return overlaps;
  return contents;
}

}  // namespace deberta::model
