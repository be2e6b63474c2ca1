#include "tokenizer/text/code_points.h"

#include <algorithm>

namespace deberta::tokenizer {

void Tidy(CodePoints* set) {
  std::sort(set->begin(), set->end());
  CodePoints out;
  for (const auto& [first, last] : *set) {
    if (!out.empty() && first <= out.back().second + 1) {
      out.back().second = std::max(out.back().second, last);
    } else {
      out.emplace_back(first, last);
    }
  }
  *set = std::move(out);
}

CodePoints Complement(const CodePoints& set) {
  CodePoints out;
  char32_t next = 0;
  for (const auto& [first, last] : set) {
    if (first > next) out.emplace_back(next, first - 1);
    next = last + 1;
  }
  if (next <= kLastCodePoint) out.emplace_back(next, kLastCodePoint);
  return out;
}

CodePoints CodePointsThat(bool (*is)(char32_t)) {
  CodePoints out;
  for (char32_t c = 0; c <= kLastCodePoint; ++c) {
    if (!is(c)) continue;
    if (!out.empty() && out.back().second + 1 == c) {
      ++out.back().second;
    } else {
      out.emplace_back(c, c);
    }
  }
  return out;
}

}  // namespace deberta::tokenizer
