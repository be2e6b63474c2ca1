#include "tokenizer/normalization/normalized_text.h"

#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {

NormalizedText AlignToItself(std::string_view text, uint32_t first_code_point) {
  NormalizedText aligned;
  aligned.text = text;
  aligned.spans.resize(text.size());
  uint32_t position = first_code_point;
  for (size_t i = 0; i < text.size(); ++position) {
    const size_t next = i + Utf8Length(text[i]);
    for (; i < next; ++i) aligned.spans[i] = {position, position + 1};
  }
  return aligned;
}

}  // namespace deberta::tokenizer
