#include "tokenizer/text/unicode_script.h"

#include <algorithm>
#include <iterator>

#include "tokenizer/text/script_ranges.h"

namespace deberta::tokenizer {

uint8_t ScriptOf(char32_t code_point) {
  // The first one starts at 0.
  const auto after = std::upper_bound(
      std::begin(kScriptStarts), std::end(kScriptStarts), code_point,
      [](char32_t value, const ScriptStart& start) {
        return value < start.first;
      });
  return std::prev(after)->script;
}

}  // namespace deberta::tokenizer
