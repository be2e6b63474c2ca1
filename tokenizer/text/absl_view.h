// abseil's views of strings, which are a type of their own before C++17.

#ifndef TOKENIZER_TEXT_ABSL_VIEW_H_
#define TOKENIZER_TEXT_ABSL_VIEW_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace deberta::tokenizer {

// Debian 12 builds abseil for C++14.
inline absl::string_view ToAbsl(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_ABSL_VIEW_H_
