// The words that models over words read: a text cut as the package that trained
// the model cuts it. Pure functions.

#ifndef TOKENIZER_TEXT_WORDS_H_
#define TOKENIZER_TEXT_WORDS_H_

#include <string_view>
#include <vector>

#include "tokenizer/text/span.h"

namespace deberta::tokenizer {

// What Python's \w matches: letters, numbers and the underscore, by Unicode 14;
// no marks.
bool IsPythonWordCharacter(char32_t code_point);
// What Python's \s matches, str.split() splits at and str.strip() removes:
// White_Space, and U+001C to U+001F.
bool IsPythonSpace(char32_t code_point);

// Code points of the leftmost matches of `\w+(?:[-_]\w+)*|\S`, as gliner 0.2.29
// cuts words. A text has none only if all of it is IsPythonSpace().
// REQUIRES: `text` is UTF-8.
std::vector<Span> GlinerWords(std::string_view text);
// The same of gliner2 2.1.0's pattern, without regard to case: addresses of the
// web and of mail, @names, words with their marks, and single characters.
std::vector<Span> Gliner2Words(std::string_view text);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_WORDS_H_
