#include "tokenizer/encoding/token_ends.h"

#include <gtest/gtest.h>

namespace deberta::tokenizer {
namespace {

TEST(TokenEndsTest, CountsTheWhiteSpaceOfAToken) {
  EXPECT_EQ(WhiteSpaceEnds("\u0120\u3000a \u0120"),
            (TokenEnds{.leading = 2, .trailing = 2}));
  EXPECT_EQ(WhiteSpaceEnds("a b"), TokenEnds());
  EXPECT_EQ(WhiteSpaceEnds(""), TokenEnds());
}

TEST(TokenEndsTest, TrimsASpan) {
  const TokenEnds ends = {.leading = 2, .trailing = 1};
  EXPECT_EQ(Trim({4, 8}, ends, /*keeps_first=*/false), (Span{6, 7}));
  // A token of nothing but spaces becomes empty, never negative.
  EXPECT_EQ(Trim({0, 2}, {.leading = 2, .trailing = 2}, false), (Span{2, 2}));
}

// One space may be add_prefix_space's; two are the text's own.
TEST(TokenEndsTest, KeepsOneLeadingSpaceButNotOneOfTwo) {
  EXPECT_EQ(Trim({0, 3}, {.leading = 1}, /*keeps_first=*/true), (Span{0, 3}));
  EXPECT_EQ(Trim({0, 3}, {.leading = 1}, /*keeps_first=*/false), (Span{1, 3}));
  EXPECT_EQ(Trim({0, 3}, {.leading = 2}, /*keeps_first=*/true), (Span{2, 3}));
  EXPECT_EQ(Trim({0, 2}, {.leading = 2, .trailing = 2}, true), (Span{2, 2}));
}

}  // namespace
}  // namespace deberta::tokenizer
