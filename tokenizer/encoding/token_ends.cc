#include "tokenizer/encoding/token_ends.h"

#include <algorithm>
#include <cstddef>

#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

// How a byte-level vocabulary spells a space.
constexpr char32_t kByteLevelSpace = U'\u0120';

bool IsSpace(char32_t c) { return c == kByteLevelSpace || IsWhiteSpace(c); }

}  // namespace

TokenEnds WhiteSpaceEnds(std::string_view token) {
  TokenEnds ends;
  for (size_t i = 0; i < token.size() && IsSpace(DecodeUtf8(token, &i));) {
    ++ends.leading;
  }
  for (size_t i = token.size();
       i > 0 && IsSpace(DecodeUtf8Before(token, &i));) {
    ++ends.trailing;
  }
  return ends;
}

Span Trim(Span span, TokenEnds ends, bool keeps_first) {
  if (ends.leading == 1 && keeps_first) ends.leading = 0;
  span.start = std::min(span.start + ends.leading, span.end);
  if (span.end >= ends.trailing) {
    span.end = std::max(span.end - ends.trailing, span.start);
  }
  return span;
}

}  // namespace deberta::tokenizer
