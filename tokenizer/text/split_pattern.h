// Regular expressions that cut text into words, as GPT-2 and its successors
// have them: RE2's syntax for them, and what RE2 cannot say beside it.
//
//   (?i:'s|'t)|...|\s*[\r\n]+|\s+(?!\S)|\s+
//
// Their end is look-ahead: of white space before a word, the last character is
// left to the word. It is understood there alone, where every match of it is
// followed by another's start; any other look-ahead is refused.

#ifndef TOKENIZER_TEXT_SPLIT_PATTERN_H_
#define TOKENIZER_TEXT_SPLIT_PATTERN_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace deberta::tokenizer {

// Both for RE2.
struct SplitPattern {
  // With `\s+` at its end in place of the look-ahead, if there is one.
  std::string whole;
  bool ends_in_look_ahead = false;
  // The alternatives before the look-ahead; absent if there are none.
  std::optional<std::string> before = {};
};

// Errors as Regex::Compile() has them.
absl::StatusOr<SplitPattern> TranslateSplitPattern(std::string_view pattern);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_SPLIT_PATTERN_H_
