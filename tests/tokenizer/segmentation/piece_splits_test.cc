#include "tokenizer/segmentation/piece_splits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace deberta::tokenizer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Splits(const std::vector<std::string_view>& pieces,
                                std::string_view piece) {
  PieceSplits splits(pieces);
  std::vector<std::string> out;
  for (const PieceSplits::Split& split : splits.Of(piece)) {
    EXPECT_EQ(split.left_bytes, pieces[static_cast<size_t>(split.left)].size());
    out.push_back(std::string(pieces[static_cast<size_t>(split.left)]) + "+" +
                  std::string(pieces[static_cast<size_t>(split.right)]));
  }
  return out;
}

TEST(PieceSplitsTest, FindsEveryPairThatMakesThePiece) {
  EXPECT_THAT(Splits({"a", "b", "ab", "bab", "abba", "", "ba"}, "abba"),
              ElementsAre("ab+ba"));
  EXPECT_THAT(Splits({"a", "aa", "aaa", "aaaa"}, "aaaa"),
              ElementsAre("a+aaa", "aa+aa", "aaa+a"));
  EXPECT_THAT(Splits({"\u2581", "\u00e9", "\u2581\u00e9"}, "\u2581\u00e9"),
              ElementsAre("\u2581+\u00e9"));
  EXPECT_THAT(Splits({"a", "", "abc"}, "abc"), IsEmpty());
  EXPECT_THAT(Splits({"a"}, "a"), IsEmpty());
  EXPECT_THAT(Splits({"a"}, ""), IsEmpty());
}

}  // namespace
}  // namespace deberta::tokenizer
