#include "tokenizer/truncation.h"

#include <algorithm>
#include <cassert>

namespace deberta::tokenizer {

std::pair<size_t, size_t> TruncateLongestFirst(size_t a, size_t b,
                                               size_t room) {
  if (a + b <= room) return {a, b};
  const size_t shorter = std::min(a, b);
  // With both above half of the room each keeps half, and the longer one (b of
  // two equals) the odd token; else only the longer one is cut.
  size_t keep_short = shorter;
  size_t keep_long =
      shorter > room ? shorter : std::max(shorter, room - shorter);
  if (keep_short + keep_long > room) {
    keep_short = room / 2;
    keep_long = keep_short + room % 2;
  }
  if (a > b) return {keep_long, keep_short};
  return {keep_short, keep_long};
}

std::vector<std::pair<size_t, size_t>> Windows(size_t length, size_t room,
                                               size_t overlap) {
  assert(overlap < room);
  std::vector<std::pair<size_t, size_t>> windows;
  for (size_t begin = 0;; begin += room - overlap) {
    const size_t end = std::min(length, begin + room);
    windows.emplace_back(begin, end);
    if (end == length) return windows;
  }
}

TokenSequence Slice(const TokenSequence& sequence, size_t begin, size_t end) {
  const auto cut = [begin, end]<typename T>(const std::vector<T>& values) {
    return std::vector<T>(values.data() + begin, values.data() + end);
  };
  return {.ids = cut(sequence.ids),
          .offsets = cut(sequence.offsets),
          .words = cut(sequence.words)};
}

}  // namespace deberta::tokenizer
