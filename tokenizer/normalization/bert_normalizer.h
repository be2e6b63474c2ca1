// BERT's normalisation, as the `tokenizers` library has it.

#ifndef TOKENIZER_NORMALIZATION_BERT_NORMALIZER_H_
#define TOKENIZER_NORMALIZATION_BERT_NORMALIZER_H_

#include "tokenizer/normalization/aligned_text.h"

namespace deberta::tokenizer {

struct BertNormalizer {
  bool clean_text = true;  // no control characters; white space becomes a space
  bool handle_chinese_chars = true;  // a space on each side
  bool strip_accents = true;         // decomposed, without nonspacing marks
  bool lowercase = true;
};

void ApplyBert(const BertNormalizer& options, AlignedText* text);

// What transformers' BasicTokenizer, in Python, does to a text before it cuts
// it: no control characters, white space becomes a space, NFC. Python knows the
// characters of newer Unicode, most of which are control characters above.
void ApplyPythonBert(AlignedText* text);

// Removes all marks, without decomposing anything.
void ApplyStripAccents(AlignedText* text);

// SentencePiece's own list: white space becomes a space, and some control
// characters go.
void ApplyNmt(AlignedText* text);

void ApplyLowercase(AlignedText* text);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_NORMALIZATION_BERT_NORMALIZER_H_
