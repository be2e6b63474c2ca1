// Sets of code points, as ranges.

#ifndef TOKENIZER_TEXT_CODE_POINTS_H_
#define TOKENIZER_TEXT_CODE_POINTS_H_

#include <utility>
#include <vector>

namespace deberta::tokenizer {

inline constexpr char32_t kLastCodePoint = 0x10FFFF;

// First and last of each range; sorted and apart once Tidy() was called.
using CodePoints = std::vector<std::pair<char32_t, char32_t>>;

void Tidy(CodePoints* set);

// REQUIRES: `set` is tidy.
CodePoints Complement(const CodePoints& set);

// Tidy.
CodePoints CodePointsThat(bool (*is)(char32_t));

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_CODE_POINTS_H_
