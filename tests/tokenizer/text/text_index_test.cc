#include "tokenizer/text/text_index.h"

#include <gtest/gtest.h>

namespace deberta::tokenizer {
namespace {

TEST(TextIndexTest, TranslatesAscii) {
  const TextIndex index("abc");
  EXPECT_EQ(index.code_points(), 3u);
  EXPECT_EQ(index.ToByte(3), 3u);
  EXPECT_EQ(index.ToUtf16(2), 2u);
  EXPECT_EQ(index.Text({1, 3}), "bc");
}

TEST(TextIndexTest, TranslatesCharactersOfEachLength) {
  // 1, 2, 3, 4 and 1 bytes; the fourth takes two UTF-16 units.
  const TextIndex index("a\u00E9\u20AC\U0001F600z");
  EXPECT_EQ(index.code_points(), 5u);
  const uint32_t bytes[] = {0, 1, 3, 6, 10, 11};
  const uint32_t utf16[] = {0, 1, 2, 3, 5, 6};
  for (uint32_t i = 0; i <= 5; ++i) {
    EXPECT_EQ(index.ToByte(i), bytes[i]) << i;
    EXPECT_EQ(index.ToUtf16(i), utf16[i]) << i;
  }
  EXPECT_EQ(index.Text({2, 4}), "\u20AC\U0001F600");
}

TEST(TextIndexTest, CountsUtf16AsCodePointsInTheBasicPlane) {
  const TextIndex index("\u00E9\u20AC");
  EXPECT_EQ(index.ToByte(1), 2u);
  EXPECT_EQ(index.ToUtf16(2), 2u);
}

TEST(TextIndexTest, IsEmptyForNoText) {
  const TextIndex index("");
  EXPECT_EQ(index.code_points(), 0u);
  EXPECT_EQ(index.ToByte(0), 0u);
  EXPECT_EQ(index.Text({0, 0}), "");
}

TEST(TextIndexTest, TrimsUnicodeWhiteSpace) {
  const TextIndex index("\u3000 caf\u00E9\u00A0\n");
  EXPECT_EQ(index.Trim({0, 8}), (Span{2, 6}));
  EXPECT_EQ(index.Trim({2, 6}), (Span{2, 6}));
  EXPECT_EQ(index.Trim({6, 8}), (Span{6, 6}));
  EXPECT_EQ(index.Trim({3, 3}), (Span{3, 3}));
}

}  // namespace
}  // namespace deberta::tokenizer
