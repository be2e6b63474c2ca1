// What surrounds the tokens of one text, or of two, in a model input, and what
// happens to their offsets: the "post_processor" of tokenizer.json.

#ifndef TOKENIZER_ENCODING_POST_PROCESSOR_H_
#define TOKENIZER_ENCODING_POST_PROCESSOR_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokenizer/encoding/encoding.h"

namespace deberta::tokenizer {

struct TemplatePiece {
  // The first (0) or second (1) text; kNoSequence: the special tokens `ids`.
  int8_t sequence = Encoding::kNoSequence;
  std::vector<int32_t> ids = {};
  int32_t type_id = 0;
};

using Template = std::vector<TemplatePiece>;

struct PostProcessor {
  Template single;
  Template pair;
  // Each takes the white space off the ends of every token's offsets; true
  // leaves a single space before a text, which add_prefix_space may have put
  // there.
  std::vector<bool> offset_trims = {};

  const Template& For(bool is_pair) const { return is_pair ? pair : single; }
};

// `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, type 1 from B on: Microsoft's.
PostProcessor DebertaTemplate(int32_t cls, int32_t sep);

// DeBERTa v1 in transformers 5: `[CLS] A [SEP] [SEP] B [SEP]`, all type 0
// (models/deberta/tokenization_deberta.py).
PostProcessor Hf5DebertaTemplate(int32_t cls, int32_t sep);

// Special tokens of the template.
size_t SpecialTokenCount(const Template& pieces);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_ENCODING_POST_PROCESSOR_H_
