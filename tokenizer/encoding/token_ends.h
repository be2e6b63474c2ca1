// White space at the ends of a token's text, which a post-processor may take
// off its offsets.

#ifndef TOKENIZER_ENCODING_TOKEN_ENDS_H_
#define TOKENIZER_ENCODING_TOKEN_ENDS_H_

#include <cstdint>
#include <string_view>

#include "tokenizer/text/span.h"

namespace deberta::tokenizer {

// In characters.
struct TokenEnds {
  uint32_t leading = 0;
  uint32_t trailing = 0;

  bool operator==(const TokenEnds&) const = default;
};

// Of a token's text, a byte-level one's spaces included.
TokenEnds WhiteSpaceEnds(std::string_view token);

// `span` without the ends; with `keeps_first` a leading space stays, but of
// several none does.
Span Trim(Span span, TokenEnds ends, bool keeps_first);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_ENCODING_TOKEN_ENDS_H_
