#include "model/checkpoint/safetensors.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "json/json.h"
#include "model/checkpoint/byte_reader.h"

namespace deberta::model {
namespace {

using Json = json::Value;

// The format's own limit.
constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr size_t kMaxDimensions = 8;
constexpr char kMetadata[] = "__metadata__";

struct ElementType {
  std::string_view name;
  uint64_t size;
  std::optional<DType> dtype;  // of the types that we read
};

constexpr ElementType kElementTypes[] = {
    {"F32", 4, DType::kF32},     {"F16", 2, DType::kF16},
    {"BF16", 2, DType::kBF16},   {"F64", 8, DType::kF64},
    {"I64", 8, std::nullopt},    {"U64", 8, std::nullopt},
    {"I32", 4, std::nullopt},    {"U32", 4, std::nullopt},
    {"I16", 2, std::nullopt},    {"U16", 2, std::nullopt},
    {"I8", 1, std::nullopt},     {"U8", 1, std::nullopt},
    {"BOOL", 1, std::nullopt},   {"F8_E4M3", 1, std::nullopt},
    {"F8_E5M2", 1, std::nullopt}};

absl::Status Malformed(const std::string& name, const std::string& what) {
  return absl::InvalidArgumentError(
      absl::StrCat("tensor \"", name, "\": ", what));
}

// One header entry, its range within the elements checked against nothing yet.
struct Entry {
  std::string name;
  std::string type;
  const ElementType* element = nullptr;  // null: a type we do not know
  std::vector<int64_t> shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

std::optional<uint64_t> AsCount(const Json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<uint64_t>();
}

absl::Status ReadShape(const Json& json, Entry& entry) {
  if (!json.is_array() || json.size() > kMaxDimensions) {
    return Malformed(entry.name,
                     absl::StrCat("shape must be a list of at most ",
                                  kMaxDimensions, " sizes"));
  }
  uint64_t bytes = entry.element == nullptr ? 1 : entry.element->size;
  for (const Json& item : json) {
    const std::optional<uint64_t> size = AsCount(item);
    // Any count of bytes below 2^63 keeps sizes and offsets within int64_t.
    if (!size || __builtin_mul_overflow(bytes, *size, &bytes) ||
        *size > uint64_t{INT64_MAX} || bytes > uint64_t{INT64_MAX}) {
      return Malformed(entry.name,
                       "shape holds a negative, fractional or too large size");
    }
    entry.shape.push_back(static_cast<int64_t>(*size));
  }
  if (entry.element != nullptr && bytes != entry.end - entry.begin) {
    return Malformed(
        entry.name,
        absl::StrCat("shape ", ShapeText(entry.shape), " of ", entry.type,
                     " takes ", bytes, " bytes, data_offsets span ",
                     entry.end - entry.begin));
  }
  return absl::OkStatus();
}

absl::StatusOr<Entry> ReadEntry(const std::string& name, const Json& json) {
  Entry entry;
  entry.name = name;
  if (!json.is_object()) return Malformed(name, "expected an object");
  const auto type = json.find("dtype");
  const auto shape = json.find("shape");
  const auto offsets = json.find("data_offsets");
  if (type == json.end() || !type->is_string()) {
    return Malformed(name, "dtype must be a string");
  }
  entry.type = type->get<std::string>();
  const auto* element = std::find_if(
      std::begin(kElementTypes), std::end(kElementTypes),
      [&](const ElementType& known) { return known.name == entry.type; });
  if (element != std::end(kElementTypes)) entry.element = element;

  if (offsets == json.end() || !offsets->is_array() || offsets->size() != 2 ||
      !AsCount((*offsets)[0]) || !AsCount((*offsets)[1])) {
    return Malformed(name, "data_offsets must be two counts of bytes");
  }
  entry.begin = *AsCount((*offsets)[0]);
  entry.end = *AsCount((*offsets)[1]);
  if (entry.begin > entry.end) {
    return Malformed(name, absl::StrCat("data_offsets run backwards, from ",
                                        entry.begin, " to ", entry.end));
  }
  absl::Status status = ReadShape(shape == json.end() ? Json() : *shape, entry);
  if (!status.ok()) return status;
  return entry;
}

// The header as a JSON object; a name given twice is refused.
absl::StatusOr<Json> ReadHeader(std::span<const std::byte> bytes) {
  absl::StatusOr<Json> header =
      json::Parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                  {.unique_keys = true});
  if (!header.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("header is not valid JSON: ", header.status().message()));
  }
  if (!header->is_object()) {
    return absl::InvalidArgumentError("header is not a JSON object");
  }
  return header;
}

absl::StatusOr<std::vector<Entry>> ReadEntries(const Json& header) {
  std::vector<Entry> entries;
  for (auto it = header.begin(); it != header.end(); ++it) {
    if (it.key() == kMetadata) continue;
    absl::StatusOr<Entry> entry = ReadEntry(it.key(), *it);
    if (!entry.ok()) return entry.status();
    entries.push_back(*std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  return entries;
}

// __metadata__.format; empty where absent.
std::string Framework(const Json& header) {
  const auto metadata = header.find(kMetadata);
  if (metadata == header.end() || !metadata->is_object()) return "";
  const auto format = metadata->find("format");
  if (format == metadata->end() || !format->is_string()) return "";
  return format->get<std::string>();
}

// REQUIRES: `entries` is sorted by begin.
absl::Status CheckRanges(const std::vector<Entry>& entries,
                         uint64_t data_bytes) {
  const Entry* previous = nullptr;
  for (const Entry& entry : entries) {
    if (entry.end > data_bytes) {
      return Malformed(
          entry.name,
          absl::StrCat("ends ", entry.end - data_bytes,
                       " bytes beyond the end of the file; incomplete "
                       "download?"));
    }
    if (entry.begin == entry.end) continue;
    if (previous != nullptr && entry.begin < previous->end) {
      return Malformed(
          entry.name, absl::StrCat("overlaps tensor \"", previous->name, "\""));
    }
    previous = &entry;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SafetensorsContents> ParseSafetensors(
    std::span<const std::byte> file) {
  constexpr std::string_view kPointer = "version https://git-lfs";
  const std::string_view text(reinterpret_cast<const char*>(file.data()),
                              file.size());
  if (text.starts_with(kPointer)) {
    return absl::InvalidArgumentError(
        "a Git LFS pointer, not the weights themselves");
  }
  ByteReader reader(file);
  const std::optional<uint64_t> header_bytes = reader.ReadU64();
  if (!header_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected at least 8 bytes, got ", file.size(),
                     "; incomplete download?"));
  }
  if (*header_bytes > kMaxHeaderBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("header length: expected at most ", kMaxHeaderBytes,
                     ", got ", *header_bytes, "; not a safetensors file?"));
  }
  const auto header_text = reader.Take(*header_bytes);
  if (!header_text) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected a header of ", *header_bytes, " bytes, the file has ",
        file.size(), " bytes in all; incomplete download?"));
  }
  return ParseTensorTable(*header_text, *reader.Take(reader.remaining()));
}

absl::StatusOr<SafetensorsContents> ParseTensorTable(
    std::span<const std::byte> header_text, std::span<const std::byte> data) {
  const absl::StatusOr<Json> header = ReadHeader(header_text);
  if (!header.ok()) return header.status();
  absl::StatusOr<std::vector<Entry>> entries = ReadEntries(*header);
  if (!entries.ok()) return entries.status();
  const absl::Status ranges = CheckRanges(*entries, data.size());
  if (!ranges.ok()) return ranges;

  SafetensorsContents contents;
  contents.framework = Framework(*header);
  for (Entry& entry : *entries) {
    if (entry.element == nullptr || !entry.element->dtype) {
      contents.other_types.emplace(std::move(entry.name),
                                   std::move(entry.type));
      continue;
    }
    contents.tensors.emplace(
        std::move(entry.name),
        TensorView{*entry.element->dtype, std::move(entry.shape),
                   data.subspan(entry.begin, entry.end - entry.begin)});
  }
  return contents;
}

absl::StatusOr<NameMap> ParseSafetensorsIndex(std::string_view text) {
  const absl::StatusOr<Json> index = json::Parse(text);
  if (!index.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("not valid JSON: ", index.status().message()));
  }
  const auto map = index->find("weight_map");
  if (map == index->end() || !map->is_object() || map->empty()) {
    return absl::InvalidArgumentError(
        "weight_map: expected an object of file names by tensor name");
  }
  NameMap files;
  for (auto it = map->begin(); it != map->end(); ++it) {
    const std::string file = it->is_string() ? it->get<std::string>() : "";
    if (file.empty() || file == "." || file == ".." ||
        file.find('/') != std::string::npos ||
        file.find('\0') != std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("weight_map: tensor \"", it.key(),
                       "\": expected the name of a file beside the index"));
    }
    files.emplace(it.key(), file);
  }
  return files;
}

}  // namespace deberta::model
