// A stretch of a text.

#ifndef TOKENIZER_TEXT_SPAN_H_
#define TOKENIZER_TEXT_SPAN_H_

#include <cstdint>

namespace deberta::tokenizer {

// A half-open range [start, end) of Unicode code points of the original text.
struct Span {
  uint32_t start = 0;
  uint32_t end = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_SPAN_H_
