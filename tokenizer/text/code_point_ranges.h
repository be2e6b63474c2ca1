// Tables of code points.

#ifndef TOKENIZER_TEXT_CODE_POINT_RANGES_H_
#define TOKENIZER_TEXT_CODE_POINT_RANGES_H_

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace deberta::tokenizer {

struct CodePointRange {
  char32_t first;
  char32_t last;
};

// REQUIRES: `ranges` rise and do not overlap.
template <size_t kSize>
bool Contains(const CodePointRange (&ranges)[kSize], char32_t code_point) {
  const CodePointRange* range = std::lower_bound(
      std::begin(ranges), std::end(ranges), code_point,
      [](const CodePointRange& r, char32_t value) { return r.last < value; });
  return range != std::end(ranges) && range->first <= code_point;
}

constexpr bool Between(char32_t value, char32_t first, char32_t last) {
  return value - first <= last - first;
}

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_CODE_POINT_RANGES_H_
