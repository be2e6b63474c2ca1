// Cutting token sequences to a model's limit, as the `tokenizers` library does
// (spec 5.4). Pure functions over lengths; callers report what was cut.

#ifndef TOKENIZER_ENCODING_TRUNCATION_H_
#define TOKENIZER_ENCODING_TRUNCATION_H_

#include <cstddef>
#include <utility>

#include "tokenizer/encoding/encoding.h"

namespace deberta::tokenizer {

// A range [first, second) of the tokens of a sequence.
using TokenRange = std::pair<size_t, size_t>;

// Lengths that longest_first leaves of two sequences when only `room` tokens
// fit. Where both are cut the odd token is the longer one's, of tokenizers
// `in_python` the first one's.
std::pair<size_t, size_t> TruncateLongestFirst(size_t a, size_t b, size_t room,
                                               bool in_python = false);

// What is left of `length` tokens when all but `keep` are taken from `side`.
// REQUIRES: keep <= length.
TokenRange Kept(size_t length, size_t keep, Side side);

// Overlapping windows of `room` tokens over `length` tokens; neighbours share
// `overlap` tokens. They are laid from the end that truncation on `side` keeps:
// the last one to be laid may be shorter. One window if all fits.
// REQUIRES: overlap < room.
struct Windows {
  size_t length = 0;
  size_t room = 0;
  size_t overlap = 0;
  Side side = Side::kRight;

  size_t count() const;
  // In the order of the text, whatever the side.
  // REQUIRES: index < count().
  TokenRange at(size_t index) const;
};

// The tokens [begin, end) of a sequence.
TokenSequence Slice(const TokenSequence& sequence, size_t begin, size_t end);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_ENCODING_TRUNCATION_H_
