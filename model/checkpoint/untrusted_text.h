// Text from files that may hold anything.

#ifndef MODEL_CHECKPOINT_UNTRUSTED_TEXT_H_
#define MODEL_CHECKPOINT_UNTRUSTED_TEXT_H_

#include <string>
#include <string_view>

namespace deberta::model {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);

// In quotes, as printable ASCII, and short enough for a message.
std::string Quoted(std::string_view text);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_UNTRUSTED_TEXT_H_
