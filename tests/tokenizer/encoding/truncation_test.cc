#include "tokenizer/encoding/truncation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace deberta::tokenizer {
namespace {

using Lengths = std::pair<size_t, size_t>;
using ::testing::ElementsAre;

// Expected values: tokenizers 0.22.2, enable_truncation(room + 3,
// strategy="longest_first") on pairs of one-letter words.
TEST(TruncationTest, CutsTheLongerFirst) {
  EXPECT_EQ(TruncateLongestFirst(3, 4, 7), Lengths(3, 4));
  EXPECT_EQ(TruncateLongestFirst(3, 10, 9), Lengths(3, 6));
  EXPECT_EQ(TruncateLongestFirst(10, 3, 9), Lengths(6, 3));
}

TEST(TruncationTest, GivesTheOddTokenToTheLongerOrTheSecond) {
  EXPECT_EQ(TruncateLongestFirst(10, 10, 9), Lengths(4, 5));
  EXPECT_EQ(TruncateLongestFirst(11, 10, 9), Lengths(5, 4));
  EXPECT_EQ(TruncateLongestFirst(10, 11, 9), Lengths(4, 5));
  EXPECT_EQ(TruncateLongestFirst(5, 20, 9), Lengths(4, 5));
}

// Expected values: truncate_sequences of tokenizers in Python, 4.57.1 and 5.24.
TEST(TruncationTest, InPythonTheOddTokenIsTheFirstOnes) {
  EXPECT_EQ(TruncateLongestFirst(10, 10, 9, true), Lengths(5, 4));
  EXPECT_EQ(TruncateLongestFirst(11, 10, 9, true), Lengths(5, 4));
  EXPECT_EQ(TruncateLongestFirst(10, 11, 9, true), Lengths(5, 4));
  EXPECT_EQ(TruncateLongestFirst(5, 20, 9, true), Lengths(5, 4));
  EXPECT_EQ(TruncateLongestFirst(3, 10, 9, true), Lengths(3, 6));
  EXPECT_EQ(TruncateLongestFirst(10, 3, 9, true), Lengths(6, 3));
}

TEST(TruncationTest, KeepsNothingWithoutRoom) {
  EXPECT_EQ(TruncateLongestFirst(10, 3, 0), Lengths(0, 0));
  EXPECT_EQ(TruncateLongestFirst(0, 3, 0), Lengths(0, 0));
  EXPECT_EQ(TruncateLongestFirst(3, 3, 1), Lengths(0, 1));
}

TEST(TruncationTest, FillsTheRoomAndNeverAdds) {
  for (size_t a = 0; a < 12; ++a) {
    for (size_t b = 0; b < 12; ++b) {
      for (size_t room = 0; room < 24; ++room) {
        const auto [x, y] = TruncateLongestFirst(a, b, room);
        EXPECT_LE(x, a);
        EXPECT_LE(y, b);
        EXPECT_EQ(x + y, std::min(a + b, room)) << a << " " << b << " " << room;
      }
    }
  }
}

TEST(TruncationTest, KeepsTheOtherSide) {
  EXPECT_EQ(Kept(10, 4, Side::kRight), Lengths(0, 4));
  EXPECT_EQ(Kept(10, 4, Side::kLeft), Lengths(6, 10));
  EXPECT_EQ(Kept(3, 3, Side::kLeft), Lengths(0, 3));
  EXPECT_EQ(Kept(3, 0, Side::kLeft), Lengths(3, 3));
}

std::vector<Lengths> All(const Windows& windows) {
  std::vector<Lengths> ranges;
  for (size_t i = 0; i < windows.count(); ++i) ranges.push_back(windows.at(i));
  return ranges;
}

TEST(TruncationTest, MakesOverlappingWindows) {
  EXPECT_THAT(All({10, 4, 1}),
              ElementsAre(Lengths(0, 4), Lengths(3, 7), Lengths(6, 10)));
  EXPECT_THAT(All({11, 4, 1}), ElementsAre(Lengths(0, 4), Lengths(3, 7),
                                           Lengths(6, 10), Lengths(9, 11)));
  EXPECT_THAT(All({5, 2, 0}),
              ElementsAre(Lengths(0, 2), Lengths(2, 4), Lengths(4, 5)));
  EXPECT_THAT(
      All({11, 4, 1, Side::kLeft}),
      ElementsAre(Lengths(0, 2), Lengths(1, 5), Lengths(4, 8), Lengths(7, 11)));
  EXPECT_THAT(All({5, 2, 0, Side::kLeft}),
              ElementsAre(Lengths(0, 1), Lengths(1, 3), Lengths(3, 5)));
}

TEST(TruncationTest, MakesOneWindowIfAllFits) {
  for (const Side side : {Side::kRight, Side::kLeft}) {
    EXPECT_THAT(All({4, 4, 3, side}), ElementsAre(Lengths(0, 4)));
    EXPECT_THAT(All({0, 4, 0, side}), ElementsAre(Lengths(0, 0)));
  }
}

// Encoding::truncate of the `tokenizers` library, step by step: the windows of
// either direction, those of the left from the end of the text.
std::vector<Lengths> Reference(size_t length, size_t room, size_t overlap,
                               Side side) {
  if (length <= room) return {{0, length}};
  std::vector<Lengths> parts;
  const size_t offset = room - overlap;
  if (side == Side::kRight) {
    for (size_t start = 0; start < length; start += offset) {
      parts.emplace_back(start, std::min(start + room, length));
      if (parts.back().second == length) break;
    }
    return parts;
  }
  for (size_t back = 0; back < length; back += offset) {
    const size_t stop = length - back;
    parts.emplace_back(stop - std::min(stop, room), stop);
    if (parts.back().first == 0) break;
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

TEST(TruncationTest, WindowsEqualTheReferences) {
  for (const Side side : {Side::kRight, Side::kLeft}) {
    for (size_t length = 0; length < 40; ++length) {
      for (size_t room = 1; room < 12; ++room) {
        for (size_t overlap = 0; overlap < room; ++overlap) {
          ASSERT_EQ(All({length, room, overlap, side}),
                    Reference(length, room, overlap, side))
              << length << " " << room << " " << overlap;
        }
      }
    }
  }
}

TEST(TruncationTest, SlicesEveryField) {
  const TokenSequence sequence = {
      .ids = {5, 6, 7, 8},
      .offsets = {{0, 1}, {1, 2}, {2, 3}, {3, 4}},
      .words = {0, 0, 1, 2},
      .own_ends = {{0, {1, 0}}, {2, {0, 3}}, {3, {2, 0}}}};
  const TokenSequence slice = Slice(sequence, 1, 3);
  EXPECT_THAT(slice.ids, ElementsAre(6, 7));
  EXPECT_THAT(slice.offsets, ElementsAre(Span{1, 2}, Span{2, 3}));
  EXPECT_THAT(slice.words, ElementsAre(0, 1));
  ASSERT_EQ(slice.own_ends.size(), 1u);
  EXPECT_EQ(slice.own_ends[0].token, 1u);
  EXPECT_EQ(slice.own_ends[0].ends, (TokenEnds{0, 3}));
  EXPECT_EQ(Slice(sequence, 4, 4).size(), 0u);
}

}  // namespace
}  // namespace deberta::tokenizer
