// A token beside the model's vocabulary ([CLS], [MASK], ...): AddedToken of the
// `tokenizers` library.

#ifndef TOKENIZER_SPECIAL_TOKENS_ADDED_TOKEN_H_
#define TOKENIZER_SPECIAL_TOKENS_ADDED_TOKEN_H_

#include <cstdint>
#include <string>

namespace deberta::tokenizer {

struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool single_word = false;  // found only between what is no word
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // and behind it
  bool normalized = false;   // looked for in normalised text
  bool special = true;       // decoding may leave it out
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SPECIAL_TOKENS_ADDED_TOKEN_H_
