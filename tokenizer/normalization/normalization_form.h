// The four normalization forms (Unicode Standard Annex 15) with the data and
// the alignments of the `tokenizers` library: as of Unicode 9.0, a composed
// character aligned to the first of those that it is made of.

#ifndef TOKENIZER_NORMALIZATION_NORMALIZATION_FORM_H_
#define TOKENIZER_NORMALIZATION_NORMALIZATION_FORM_H_

#include "tokenizer/normalization/aligned_text.h"

namespace deberta::tokenizer {

enum class NormalizationForm { kNfc, kNfd, kNfkc, kNfkd };

// A character becomes eighteen at most.
void ApplyForm(NormalizationForm form, AlignedText* text);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_NORMALIZATION_NORMALIZATION_FORM_H_
