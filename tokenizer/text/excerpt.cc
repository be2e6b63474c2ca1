#include "tokenizer/text/excerpt.h"

#include <cstddef>

#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {

std::string Excerpt(std::string_view text) {
  constexpr size_t kMaxBytes = 60;
  if (text.size() <= kMaxBytes) return ReplaceInvalidUtf8(text);
  size_t end = kMaxBytes;
  while (end > 0 && IsUtf8Continuation(text[end])) --end;
  return ReplaceInvalidUtf8(text.substr(0, end)) + "...";
}

}  // namespace deberta::tokenizer
