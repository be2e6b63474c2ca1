// The four normalization forms (Unicode Standard Annex 15), a composed
// character aligned to the first of those that it is made of.

#ifndef TOKENIZER_NORMALIZATION_NORMALIZATION_FORM_H_
#define TOKENIZER_NORMALIZATION_NORMALIZATION_FORM_H_

#include "tokenizer/normalization/aligned_text.h"

namespace deberta::tokenizer {

enum class NormalizationForm { kNfc, kNfd, kNfkc, kNfkd };

enum class UnicodeData {
  kNine,    // 9.0, which the `tokenizers` library has
  kNewest,  // that of utf8proc, 15.0 or later; Python's is about as new
};

// A character becomes eighteen at most.
void ApplyForm(NormalizationForm form, AlignedText* text,
               UnicodeData data = UnicodeData::kNine);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_NORMALIZATION_NORMALIZATION_FORM_H_
