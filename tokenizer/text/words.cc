#include "tokenizer/text/words.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "tokenizer/text/unicode.h"
#include "tokenizer/text/word_ranges.h"

namespace deberta::tokenizer {
namespace {

// A text read one character after another.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) { Read(); }

  bool at_end() const { return byte_ == text_.size(); }
  uint32_t position() const { return position_; }
  // REQUIRES, of all below: not at_end().
  char32_t current() const { return current_; }
  void Advance() {
    byte_ = next_;
    ++position_;
    Read();
  }
  // Whether the character after the current one is a word's.
  bool WordFollows() const {
    if (next_ == text_.size()) return false;
    size_t next = next_;
    return IsPythonWordCharacter(DecodeUtf8(text_, &next));
  }

 private:
  void Read() {
    next_ = byte_;
    if (!at_end()) current_ = DecodeUtf8(text_, &next_);
  }

  const std::string_view text_;
  size_t byte_ = 0;
  size_t next_ = 0;  // byte of the character after the current one
  uint32_t position_ = 0;
  char32_t current_ = 0;
};

}  // namespace

bool IsPythonWordCharacter(char32_t c) {
  if (c < 0x80) {
    return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') ||
           (c >= U'0' && c <= U'9') || c == U'_';
  }
  const CodePointRange* range = std::lower_bound(
      std::begin(kWordCharacterRanges), std::end(kWordCharacterRanges), c,
      [](const CodePointRange& r, char32_t value) { return r.last < value; });
  return range != std::end(kWordCharacterRanges) && range->first <= c;
}

bool IsPythonSpace(char32_t c) {
  return IsWhiteSpace(c) || (c >= 0x1C && c <= 0x1F);
}

std::vector<Span> GlinerWords(std::string_view text) {
  std::vector<Span> words;
  Reader reader(text);
  while (!reader.at_end()) {
    const uint32_t start = reader.position();
    if (IsPythonSpace(reader.current())) {
      reader.Advance();
      continue;
    }
    const bool symbol = !IsPythonWordCharacter(reader.current());
    reader.Advance();
    // The underscore is a word's character, so that only a hyphen joins.
    while (!symbol && !reader.at_end() &&
           (IsPythonWordCharacter(reader.current()) ||
            (reader.current() == U'-' && reader.WordFollows()))) {
      reader.Advance();
    }
    words.push_back({start, reader.position()});
  }
  return words;
}

}  // namespace deberta::tokenizer
