// Normalization form C (Unicode Standard Annex 15) with the data and the
// alignments of the `tokenizers` library: as of Unicode 9.0, a composed
// character aligned to the first of those that it is made of.

#ifndef TOKENIZER_NORMALIZATION_NFC_H_
#define TOKENIZER_NORMALIZATION_NFC_H_

#include "tokenizer/normalization/aligned_text.h"

namespace deberta::tokenizer {

void ApplyNfc(AlignedText* text);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_NORMALIZATION_NFC_H_
