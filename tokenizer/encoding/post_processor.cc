#include "tokenizer/encoding/post_processor.h"

#include <algorithm>

#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

// How a byte-level vocabulary spells a space.
constexpr char32_t kByteLevelSpace = U'\u0120';

TemplatePiece Special(int32_t id, int32_t type_id) {
  return {.ids = {id}, .type_id = type_id};
}

TemplatePiece Text(int8_t sequence, int32_t type_id) {
  return {.sequence = sequence, .type_id = type_id};
}

bool IsSpace(char32_t c) { return c == kByteLevelSpace || IsWhiteSpace(c); }

}  // namespace

PostProcessor DebertaTemplate(int32_t cls, int32_t sep) {
  return {.single = {Special(cls, 0), Text(0, 0), Special(sep, 0)},
          .pair = {Special(cls, 0), Text(0, 0), Special(sep, 0), Text(1, 1),
                   Special(sep, 1)}};
}

PostProcessor Hf5DebertaTemplate(int32_t cls, int32_t sep) {
  return {.single = {Special(cls, 0), Text(0, 0), Special(sep, 0)},
          .pair = {Special(cls, 0), Text(0, 0), Special(sep, 0),
                   Special(sep, 0), Text(1, 0), Special(sep, 0)}};
}

size_t SpecialTokenCount(const Template& pieces) {
  size_t count = 0;
  for (const TemplatePiece& piece : pieces) count += piece.ids.size();
  return count;
}

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
  if (ends.leading > 0 && keeps_first) --ends.leading;
  span.start = std::min(span.start + ends.leading, span.end);
  if (span.end >= ends.trailing) {
    span.end = std::max(span.end - ends.trailing, span.start);
  }
  return span;
}

}  // namespace deberta::tokenizer
