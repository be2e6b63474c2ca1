#include "tokenizer/truncation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(TruncationTest, MakesOverlappingWindows) {
  EXPECT_THAT(Windows(10, 4, 1),
              ElementsAre(Lengths(0, 4), Lengths(3, 7), Lengths(6, 10)));
  EXPECT_THAT(Windows(11, 4, 1), ElementsAre(Lengths(0, 4), Lengths(3, 7),
                                             Lengths(6, 10), Lengths(9, 11)));
  EXPECT_THAT(Windows(5, 2, 0),
              ElementsAre(Lengths(0, 2), Lengths(2, 4), Lengths(4, 5)));
}

TEST(TruncationTest, MakesOneWindowIfAllFits) {
  EXPECT_THAT(Windows(4, 4, 3), ElementsAre(Lengths(0, 4)));
  EXPECT_THAT(Windows(0, 4, 0), ElementsAre(Lengths(0, 0)));
}

TEST(TruncationTest, SlicesEveryField) {
  const TokenSequence sequence = {.ids = {5, 6, 7, 8},
                                  .offsets = {{0, 1}, {1, 2}, {2, 3}, {3, 4}},
                                  .words = {0, 0, 1, 2}};
  const TokenSequence slice = Slice(sequence, 1, 3);
  EXPECT_THAT(slice.ids, ElementsAre(6, 7));
  EXPECT_THAT(slice.offsets, ElementsAre(Span{1, 2}, Span{2, 3}));
  EXPECT_THAT(slice.words, ElementsAre(0, 1));
  EXPECT_EQ(Slice(sequence, 4, 4).size(), 0u);
}

}  // namespace
}  // namespace deberta::tokenizer
