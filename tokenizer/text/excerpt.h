// Untrusted text for a message.

#ifndef TOKENIZER_TEXT_EXCERPT_H_
#define TOKENIZER_TEXT_EXCERPT_H_

#include <string>
#include <string_view>

namespace deberta::tokenizer {

// `text` if it is short, else its beginning and "..."; always UTF-8.
std::string Excerpt(std::string_view text);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_EXCERPT_H_
