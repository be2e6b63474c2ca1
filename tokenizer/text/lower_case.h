// Lower case as Python has it.

#ifndef TOKENIZER_TEXT_LOWER_CASE_H_
#define TOKENIZER_TEXT_LOWER_CASE_H_

#include <string>
#include <string_view>

namespace deberta::tokenizer {

// Python 3.11's str.lower(), of Unicode 14: with the final sigma and the two
// code points of U+0130. REQUIRES: `text` is UTF-8.
std::string PythonLower(std::string_view text);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_LOWER_CASE_H_
