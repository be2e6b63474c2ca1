#include "tokenizer/text/text_index.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

// Characters beyond the Basic Multilingual Plane take four bytes and two
// UTF-16 units.
bool IsSupplementary(char byte) {
  return static_cast<unsigned char>(byte) >= 0xF0;
}

bool IsAscii(char byte) { return static_cast<unsigned char>(byte) < 0x80; }

}  // namespace

TextIndex::TextIndex(std::string_view text) : text_(text) {
  assert(text.size() <= std::numeric_limits<uint32_t>::max());
  if (std::all_of(text.begin(), text.end(), IsAscii)) return;
  const bool supplementary =
      std::any_of(text.begin(), text.end(), IsSupplementary);
  const size_t count = CountCodePoints(text);
  byte_.reserve(count + 1);
  if (supplementary) utf16_.reserve(count + 1);
  uint32_t utf16 = 0;
  for (size_t i = 0; i < text.size(); i += Utf8Length(text[i])) {
    byte_.push_back(static_cast<uint32_t>(i));
    if (supplementary) {
      utf16_.push_back(utf16);
      utf16 += IsSupplementary(text[i]) ? 2 : 1;
    }
  }
  byte_.push_back(static_cast<uint32_t>(text.size()));
  if (supplementary) utf16_.push_back(utf16);
}

uint32_t TextIndex::code_points() const {
  return static_cast<uint32_t>(byte_.empty() ? text_.size() : byte_.size() - 1);
}

uint32_t TextIndex::ToByte(uint32_t code_point) const {
  return byte_.empty() ? code_point : byte_[code_point];
}

uint32_t TextIndex::ToUtf16(uint32_t code_point) const {
  return utf16_.empty() ? code_point : utf16_[code_point];
}

std::string_view TextIndex::Text(Span span) const {
  const size_t begin = ToByte(span.start);
  return text_.substr(begin, ToByte(span.end) - begin);
}

Span TextIndex::Trim(Span span) const {
  const std::string_view text = Text(span);
  Span trimmed = span;
  size_t begin = 0;
  while (begin < text.size()) {
    size_t next = begin;
    if (!IsWhiteSpace(DecodeUtf8(text, &next))) break;
    begin = next;
    ++trimmed.start;
  }
  if (begin == text.size()) return {span.start, span.start};
  // Stops at the character found above at the latest.
  size_t end = text.size();
  while (IsWhiteSpace(DecodeUtf8Before(text, &end))) --trimmed.end;
  return trimmed;
}

}  // namespace deberta::tokenizer
