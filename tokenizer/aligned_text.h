// Text on its way through a normaliser.

#ifndef TOKENIZER_ALIGNED_TEXT_H_
#define TOKENIZER_ALIGNED_TEXT_H_

#include <vector>

#include "tokenizer/encoding.h"

namespace deberta::tokenizer {

struct AlignedChar {
  char32_t value;
  Span span;  // of the original text
};

using AlignedText = std::vector<AlignedChar>;

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_ALIGNED_TEXT_H_
