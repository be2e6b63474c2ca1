#include "tokenizer/encoding/truncation.h"

#include <algorithm>
#include <cassert>
#include <vector>

namespace deberta::tokenizer {

std::pair<size_t, size_t> TruncateLongestFirst(size_t a, size_t b, size_t room,
                                               bool in_python) {
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
    if (in_python) return {keep_long, keep_short};
  }
  if (a > b) return {keep_long, keep_short};
  return {keep_short, keep_long};
}

TokenRange Kept(size_t length, size_t keep, Side side) {
  assert(keep <= length);
  return side == Side::kRight ? TokenRange(0, keep)
                              : TokenRange(length - keep, length);
}

size_t Windows::count() const {
  assert(overlap < room);
  const size_t step = room - overlap;
  return length <= room ? 1 : (length - room + step - 1) / step + 1;
}

TokenRange Windows::at(size_t index) const {
  const size_t step = room - overlap;
  if (side == Side::kRight) {
    const size_t begin = index * step;
    return {begin, std::min(length, begin + room)};
  }
  const size_t end = length - (count() - 1 - index) * step;
  return {end - std::min(end, room), end};
}

TokenSequence Slice(const TokenSequence& sequence, size_t begin, size_t end) {
  const auto cut = [begin, end]<typename T>(const std::vector<T>& values) {
    return std::vector<T>(values.data() + begin, values.data() + end);
  };
  TokenSequence slice = {.ids = cut(sequence.ids),
                         .offsets = cut(sequence.offsets),
                         .words = cut(sequence.words)};
  for (const TokenSequence::OwnEnds& own : sequence.own_ends) {
    if (begin <= own.token && own.token < end)
      slice.own_ends.push_back({.token = own.token - begin, .ends = own.ends});
  }
  return slice;
}

}  // namespace deberta::tokenizer
