// The classes of characters that regular expressions name, as Oniguruma has
// them.

#ifndef TOKENIZER_TEXT_REGEX_CLASSES_H_
#define TOKENIZER_TEXT_REGEX_CLASSES_H_

#include <string_view>

#include "tokenizer/text/code_points.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {

// The members of a class.
using Members = const CodePoints& (*)();

// To find them asks every code point: once.
template <bool (*kIs)(char32_t)>
const CodePoints& AllThat() {
  static const CodePoints& set = *new CodePoints(CodePointsThat(kIs));
  return set;
}

// Of a \p{...}; null for a name that is not known. Of Word those outside of
// classes, AllThat<IsRegexWord>.
Members FindProperty(std::string_view name);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_REGEX_CLASSES_H_
