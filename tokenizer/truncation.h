// Cutting token sequences to a model's limit, as the `tokenizers` library does
// (spec 5.4). Pure functions over lengths; callers report what was cut.

#ifndef TOKENIZER_TRUNCATION_H_
#define TOKENIZER_TRUNCATION_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "tokenizer/encoding.h"

namespace deberta::tokenizer {

// Lengths that longest_first leaves of two sequences when only `room` tokens
// fit.
std::pair<size_t, size_t> TruncateLongestFirst(size_t a, size_t b, size_t room);

// The token ranges [first, second) of overlapping windows of `room` tokens over
// `length` tokens; neighbours share `overlap` tokens. One window if all fits.
// REQUIRES: overlap < room.
std::vector<std::pair<size_t, size_t>> Windows(size_t length, size_t room,
                                               size_t overlap);

// The tokens [begin, end) of a sequence.
TokenSequence Slice(const TokenSequence& sequence, size_t begin, size_t end);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TRUNCATION_H_
