#include "tokenizer/text/lower_case.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "tokenizer/text/lower_case_table.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

constexpr char32_t kCapitalSigma = 0x3A3;
constexpr char32_t kSmallSigma = 0x3C3;
constexpr char32_t kFinalSigma = 0x3C2;
constexpr char32_t kCapitalDottedI = 0x130;
constexpr char32_t kDotAbove = 0x307;

char32_t LowerOf(char32_t c) {
  if (c < 0x80) return c >= U'A' && c <= U'Z' ? c + 0x20 : c;
  const LowerCaseRange* range = std::lower_bound(
      std::begin(kLowerCaseRanges), std::end(kLowerCaseRanges), c,
      [](const LowerCaseRange& r, char32_t value) { return r.last < value; });
  if (range == std::end(kLowerCaseRanges) || c < range->first ||
      (c - range->first) % range->step != 0) {
    return c;
  }
  return c + static_cast<char32_t>(range->by);
}

// Whether a letter stands before and none behind the sigma at [start, end),
// but for what is ignorable.
bool IsFinal(std::string_view text, size_t start, size_t end) {
  char32_t before = 0;
  do {
    if (start == 0) return false;
    before = DecodeUtf8Before(text, &start);
  } while (Contains(kCaseIgnorableRanges, before));
  if (!Contains(kCasedRanges, before)) return false;
  while (end < text.size()) {
    const char32_t after = DecodeUtf8(text, &end);
    if (!Contains(kCaseIgnorableRanges, after))
      return !Contains(kCasedRanges, after);
  }
  return true;
}

}  // namespace

std::string PythonLower(std::string_view text) {
  std::string lower;
  lower.reserve(text.size());
  for (size_t next = 0; next < text.size();) {
    const size_t start = next;
    const char32_t c = DecodeUtf8(text, &next);
    if (c == kCapitalSigma) {
      AppendUtf8(IsFinal(text, start, next) ? kFinalSigma : kSmallSigma,
                 &lower);
    } else if (c == kCapitalDottedI) {
      AppendUtf8(U'i', &lower);
      AppendUtf8(kDotAbove, &lower);
    } else {
      AppendUtf8(LowerOf(c), &lower);
    }
  }
  return lower;
}

}  // namespace deberta::tokenizer
