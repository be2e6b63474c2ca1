// Text on its way through a normaliser.

#ifndef TOKENIZER_NORMALIZATION_ALIGNED_TEXT_H_
#define TOKENIZER_NORMALIZATION_ALIGNED_TEXT_H_

#include <vector>

#include "tokenizer/text/span.h"

namespace deberta::tokenizer {

struct AlignedChar {
  char32_t value;
  Span span;  // of the original text
};

using AlignedText = std::vector<AlignedChar>;

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_NORMALIZATION_ALIGNED_TEXT_H_
