#include "tokenizer/normalization/charsmap.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

// The longest content that a map may have; Unicode's own longest is 33 bytes.
// Keeps the work for a text linear whatever the map says.
constexpr size_t kMaxContentBytes = 256;
constexpr size_t kMaxKeyBytes = 256;

// A unit of a Darts-clone double array.
bool HasLeaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t Value(uint32_t unit) { return unit & 0x7FFFFFFF; }
// Never equal to a byte for a unit that holds a value: bit 31 is set there.
uint32_t Label(uint32_t unit) { return unit & 0x800000FF; }
uint32_t Offset(uint32_t unit) { return unit >> 10 << ((unit & 1U << 9) >> 6); }

uint32_t ReadLittleEndian(const char* bytes) {
  const auto byte = [bytes](int i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(bytes[i]));
  };
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
}

}  // namespace

absl::StatusOr<Charsmap> Charsmap::Parse(std::string_view bytes) {
  if (bytes.size() < sizeof(uint32_t)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "precompiled_charsmap: expected at least 4 bytes, got ", bytes.size()));
  }
  const uint32_t trie_bytes = ReadLittleEndian(bytes.data());
  bytes.remove_prefix(sizeof(uint32_t));
  if (trie_bytes == 0 || trie_bytes % sizeof(uint32_t) != 0 ||
      trie_bytes > bytes.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "precompiled_charsmap: its trie claims ", trie_bytes,
        " bytes; expected a multiple of 4 from 4 to ", bytes.size()));
  }
  std::vector<uint32_t> units(trie_bytes / sizeof(uint32_t));
  for (size_t i = 0; i < units.size(); ++i) {
    units[i] = ReadLittleEndian(bytes.data() + i * sizeof(uint32_t));
  }
  const std::string_view strings = bytes.substr(trie_bytes);
  if (const auto invalid = FindInvalidUtf8(strings)) {
    return absl::InvalidArgumentError(
        absl::StrCat("precompiled_charsmap: its strings are not UTF-8 at byte ",
                     sizeof(uint32_t) + trie_bytes + *invalid));
  }
  return Charsmap(std::move(units), std::string(strings));
}

Charsmap::Charsmap(std::vector<uint32_t> units, std::string strings)
    : units_(std::move(units)), strings_(std::move(strings)) {
  for (size_t c = 0; c < keeps_.size(); ++c) {
    const char key = static_cast<char>(c);
    keeps_[c] = !Find(std::string_view(&key, 1)).has_value();
  }
}

bool Charsmap::Advance(char c, Step* step) const {
  const auto byte = static_cast<unsigned char>(c);
  const size_t node = step->node ^ byte;
  if (byte == 0 || node >= units_.size() || Label(units_[node]) != byte) {
    return false;
  }
  *step = {node ^ Offset(units_[node]), HasLeaf(units_[node])};
  return true;
}

std::optional<std::string_view> Charsmap::Content(size_t node) const {
  if (node >= units_.size()) return std::nullopt;
  const size_t begin = Value(units_[node]);
  if (begin > strings_.size() ||
      (begin < strings_.size() && IsUtf8Continuation(strings_[begin]))) {
    return std::nullopt;
  }
  const std::string_view content =
      std::string_view(strings_).substr(begin, kMaxContentBytes + 1);
  const std::string_view whole = content.substr(0, content.find('\0'));
  if (whole.size() > kMaxContentBytes) return std::nullopt;
  return whole;
}

std::optional<std::string_view> Charsmap::Find(std::string_view key) const {
  Step step = {Offset(units_[0]), false};
  for (const char c : key) {
    if (!Advance(c, &step)) return std::nullopt;
    if (step.leaf) return Content(step.node);
  }
  return std::nullopt;
}

std::optional<Charsmap::Match> Charsmap::FindLongest(
    std::string_view text) const {
  Step step = {Offset(units_[0]), false};
  size_t length = 0;
  size_t node = 0;
  const size_t end = std::min(text.size(), kMaxKeyBytes);
  for (size_t i = 0; i < end && Advance(text[i], &step); ++i) {
    if (!step.leaf) continue;
    length = i + 1;
    node = step.node;
  }
  // A key of a damaged map may end inside a character.
  if (length == 0 ||
      (length < text.size() && IsUtf8Continuation(text[length]))) {
    return std::nullopt;
  }
  const std::optional<std::string_view> content = Content(node);
  if (!content.has_value()) return std::nullopt;
  return Match{length, *content};
}

}  // namespace deberta::tokenizer
