#include "tokenizer/text/grapheme.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace deberta::tokenizer {
namespace {

// The lengths of the clusters of `text`, as digits.
std::string Clusters(std::u32string_view text) {
  GraphemeScanner scanner;
  std::string lengths;
  for (const char32_t c : text) {
    if (scanner.StartsCluster(c)) {
      lengths.push_back('1');
    } else {
      ++lengths.back();
    }
  }
  return lengths;
}

TEST(GraphemeTest, BreaksBetweenLetters) { EXPECT_EQ(Clusters(U"abc"), "111"); }

TEST(GraphemeTest, KeepsCarriageReturnAndLineFeedTogether) {
  EXPECT_EQ(Clusters(U"a\r\n\n\rb"), "12111");
}

TEST(GraphemeTest, ControlsJoinNothing) {
  EXPECT_EQ(Clusters(U"\n\u0301a\u200B\u0301"), "11111");
}

TEST(GraphemeTest, JoinsMarksAndSpacingMarks) {
  EXPECT_EQ(Clusters(U"e\u0301\u0327x\u0903"), "32");
}

TEST(GraphemeTest, JoinsWhatFollowsAPrependedMark) {
  EXPECT_EQ(Clusters(U"\u0600x\u0600\n"), "211");
}

TEST(GraphemeTest, JoinsJamoAndSyllables) {
  EXPECT_EQ(Clusters(U"\u1100\u1161\u11A8\u1100\uAC00\u11A8\uAC01\u1161"),
            "3311");
}

TEST(GraphemeTest, JoinsIndicConjuncts) {
  EXPECT_EQ(Clusters(U"\u0915\u094D\u0915"), "3");
  EXPECT_EQ(Clusters(U"\u0915\u094D\u200D\u0915"), "4");
  // A non-joiner, or no consonant before the virama, separates.
  EXPECT_EQ(Clusters(U"\u0915\u094D\u200C\u0915"), "31");
  EXPECT_EQ(Clusters(U"a\u094D\u0915"), "21");
  EXPECT_EQ(Clusters(U"\u0915\u0915"), "11");
}

TEST(GraphemeTest, JoinsEmojiSequences) {
  EXPECT_EQ(Clusters(U"\U0001F468\u200D\U0001F469\uFE0F\u200D\U0001F467"), "6");
  EXPECT_EQ(Clusters(U"\U0001F468\u200D\u200D\U0001F469"), "31");
  EXPECT_EQ(Clusters(U"a\u200D\U0001F469"), "21");
}

TEST(GraphemeTest, PairsRegionalIndicators) {
  EXPECT_EQ(Clusters(U"\U0001F1E9\U0001F1EA\U0001F1EB"), "21");
  EXPECT_EQ(Clusters(U"\U0001F1E9\U0001F1EA\U0001F1EB\U0001F1E9x\U0001F1E9"
                     U"\U0001F1EA"),
            "2212");
}

TEST(GraphemeTest, TableEdges) {
  EXPECT_EQ(GraphemeClassOf(0x7E), GraphemeClass::kOther);
  EXPECT_EQ(GraphemeClassOf(0x7F), GraphemeClass::kControl);
  EXPECT_EQ(GraphemeClassOf(0xAC00), GraphemeClass::kLv);
  EXPECT_EQ(GraphemeClassOf(0xD7A3), GraphemeClass::kLvt);
  EXPECT_EQ(GraphemeClassOf(0xE01EF), GraphemeClass::kExtend);
  EXPECT_EQ(GraphemeClassOf(0x10FFFF), GraphemeClass::kOther);
}

}  // namespace
}  // namespace deberta::tokenizer
