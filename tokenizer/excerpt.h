// Untrusted text for a message.

#ifndef TOKENIZER_EXCERPT_H_
#define TOKENIZER_EXCERPT_H_

#include <string>
#include <string_view>

namespace deberta::tokenizer {

// `text` if it is short, else its beginning and "..."; always UTF-8.
std::string Excerpt(std::string_view text);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_EXCERPT_H_
