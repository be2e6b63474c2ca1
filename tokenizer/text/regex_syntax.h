// Oniguruma's syntax -> RE2's, for regex.cc.

#ifndef TOKENIZER_TEXT_REGEX_SYNTAX_H_
#define TOKENIZER_TEXT_REGEX_SYNTAX_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace deberta::tokenizer {

// A pattern of RE2 that matches what `pattern` matches in Oniguruma. Errors as
// Regex::Compile() has them.
absl::StatusOr<std::string> TranslateRegex(std::string_view pattern);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_REGEX_SYNTAX_H_
