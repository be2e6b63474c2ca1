// Text after normalisation.

#ifndef TOKENIZER_NORMALIZATION_NORMALIZED_TEXT_H_
#define TOKENIZER_NORMALIZATION_NORMALIZED_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/text/span.h"

namespace deberta::tokenizer {

// Each byte of `text` knows which code points of the original it came from, so
// that offsets survive replacement and deletion.
struct NormalizedText {
  std::string text;         // UTF-8
  std::vector<Span> spans;  // [text.size()], code points of the original text
};

// Valid UTF-8 as it is; `first_code_point` is its position in the original
// text.
NormalizedText AlignToItself(std::string_view text, uint32_t first_code_point);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_NORMALIZATION_NORMALIZED_TEXT_H_
