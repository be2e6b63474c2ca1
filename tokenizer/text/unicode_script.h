// Scripts as the `tokenizers` library's UnicodeScripts tells them apart.

#ifndef TOKENIZER_TEXT_UNICODE_SCRIPT_H_
#define TOKENIZER_TEXT_UNICODE_SCRIPT_H_

#include <cstdint>

namespace deberta::tokenizer {

// The same number for characters that stay together: Han, Hiragana and Katakana
// are one. 0 for those that go with any: the space, and what no script has.
uint8_t ScriptOf(char32_t code_point);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_UNICODE_SCRIPT_H_
