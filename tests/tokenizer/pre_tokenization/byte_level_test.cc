#include "tokenizer/pre_tokenization/byte_level.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

using ::testing::ElementsAre;

std::vector<std::string_view> Pieces(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = PieceEnd(text, begin);
    pieces.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return pieces;
}

// Expected values of these four: spec 5.2.
TEST(ByteLevelTest, KnowsLowerCaseContractions) {
  EXPECT_THAT(Pieces("I'll don't 'S 'd"),
              ElementsAre("I", "'ll", " don", "'t", " '", "S", " '", "d"));
  EXPECT_THAT(
      Pieces("'s't're've'm'll'd'x"),
      ElementsAre("'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'", "x"));
  EXPECT_THAT(Pieces("'r 'v 'l"), ElementsAre("'", "r", " '", "v", " '", "l"));
}

TEST(ByteLevelTest, LeavesOneSpaceToTheNextWord) {
  EXPECT_THAT(Pieces("a  b   c"), ElementsAre("a", " ", " b", "  ", " c"));
  EXPECT_THAT(Pieces("x\n\n y"), ElementsAre("x", "\n\n", " y"));
  EXPECT_THAT(Pieces("x\n\ny"), ElementsAre("x", "\n", "\n", "y"));
}

TEST(ByteLevelTest, TakesAllWhiteSpaceAtTheEnd) {
  EXPECT_THAT(Pieces("x \n"), ElementsAre("x", " \n"));
  EXPECT_THAT(Pieces("x "), ElementsAre("x", " "));
}

TEST(ByteLevelTest, CutsWhereLettersDigitsAndOthersMeet) {
  EXPECT_THAT(Pieces("a_b-c"), ElementsAre("a", "_", "b", "-", "c"));
  EXPECT_THAT(Pieces(" 12.5\u00BD $3 ''s"),
              ElementsAre(" 12", ".", "5\u00BD", " $", "3", " ''", "s"));
}

TEST(ByteLevelTest, KnowsUnicodeClasses) {
  EXPECT_THAT(Pieces("\u3000x"), ElementsAre("\u3000", "x"));
  EXPECT_THAT(Pieces(" \u00E9\u4E2D\u0663"),
              ElementsAre(" \u00E9\u4E2D", "\u0663"));
  // A combining accent is neither letter nor space.
  EXPECT_THAT(Pieces("e\u0301e"), ElementsAre("e", "\u0301", "e"));
  EXPECT_THAT(Pieces("a\u00A0\u00A0b"),
              ElementsAre("a", "\u00A0", "\u00A0", "b"));
}

TEST(ByteLevelTest, SpellsEachByteAsAPrintableCharacter) {
  EXPECT_EQ(ByteCharacter(' '), U'\u0120');
  EXPECT_EQ(ByteCharacter('\n'), U'\u010A');
  EXPECT_EQ(ByteCharacter('!'), U'!');
  EXPECT_EQ(ByteCharacter('~'), U'~');
  EXPECT_EQ(ByteCharacter('\0'), U'\u0100');
  EXPECT_EQ(ByteCharacter('\xA1'), U'\u00A1');
  EXPECT_EQ(ByteCharacter('\xAD'), U'\u0143');
  EXPECT_EQ(ByteCharacter('\xFF'), U'\u00FF');
}

TEST(ByteLevelTest, ReadsBackTheSpellingOfEveryByte) {
  std::string all;
  std::string spelling;
  for (int b = 0; b < 256; ++b) {
    all.push_back(static_cast<char>(b));
    AppendUtf8(ByteCharacter(all.back()), &spelling);
  }
  std::string read;
  EXPECT_TRUE(AppendBytes(spelling, &read));
  EXPECT_EQ(read, all);
}

TEST(ByteLevelTest, RefusesCharactersThatStandForNoByte) {
  std::string out = "x";
  EXPECT_FALSE(AppendBytes("ab\u0144", &out));
  EXPECT_FALSE(AppendBytes("a b", &out));
  EXPECT_EQ(out, "x");
}

}  // namespace
}  // namespace deberta::tokenizer
