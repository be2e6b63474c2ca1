// What a tokenizer makes of a text. Plain values: freely copied and moved.

#ifndef TOKENIZER_ENCODING_ENCODING_H_
#define TOKENIZER_ENCODING_ENCODING_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokenizer/encoding/token_ends.h"
#include "tokenizer/text/span.h"

namespace deberta::tokenizer {

// The side of a sequence that is padded, or that truncation takes tokens from.
enum class Side { kLeft, kRight };

// The tokens of one text, without the template's special tokens. The vectors
// are parallel.
struct TokenSequence {
  std::vector<int32_t> ids;
  // Raw offsets of the reference: they include the space before a word and may
  // overlap (spec 5.5).
  std::vector<Span> offsets;
  // Index of the pre-token (v1: regex piece, v2: white-space word, or an added
  // token) that the token belongs to, counted from 0 within the text.
  std::vector<int32_t> words;
  // Those of tokens that stand for other white space than their vocabulary
  // strings have, by rising index: added tokens that took some, unknown pieces.
  struct OwnEnds {
    size_t token = 0;
    TokenEnds ends;
  };
  std::vector<OwnEnds> own_ends = {};

  size_t size() const { return ids.size(); }
};

// A model input: one or two sequences with [CLS] and [SEP] around them. The
// vectors are parallel.
struct Encoding {
  static constexpr int8_t kNoSequence = -1;

  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;
  // 1 where the template added the token; special tokens typed in the text
  // have 0.
  std::vector<uint8_t> special_tokens_mask;
  // Of the sequence's own text; (0, 0) for template tokens.
  std::vector<Span> offsets;
  // 0 for the first sequence, 1 for the second, kNoSequence for the template.
  std::vector<int8_t> sequence_ids;
  // -1 for template tokens.
  std::vector<int32_t> words;

  size_t size() const { return ids.size(); }
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_ENCODING_ENCODING_H_
