// Translates code point positions of one text to UTF-8 bytes and UTF-16 units.

#ifndef TOKENIZER_TEXT_TEXT_INDEX_H_
#define TOKENIZER_TEXT_TEXT_INDEX_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizer/text/span.h"

namespace deberta::tokenizer {

class TextIndex {
 public:
  // REQUIRES: `text` is valid UTF-8, shorter than 2^32 bytes, and outlives the
  // index.
  explicit TextIndex(std::string_view text);

  uint32_t code_points() const;
  // REQUIRES: code_point <= code_points().
  uint32_t ToByte(uint32_t code_point) const;
  uint32_t ToUtf16(uint32_t code_point) const;
  // The bytes of the original text under the span.
  std::string_view Text(Span span) const;
  // The span without Unicode White_Space at both ends; empty at `start` if it
  // holds nothing else.
  Span Trim(Span span) const;

 private:
  std::string_view text_;
  std::vector<uint32_t> byte_;   // [code_points + 1]; empty if all is ASCII
  std::vector<uint32_t> utf16_;  // [code_points + 1]; empty if all is BMP
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_TEXT_INDEX_H_
