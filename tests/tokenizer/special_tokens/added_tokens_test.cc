#include "tokenizer/special_tokens/added_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/normalization/normalizer.h"
#include "tokenizer/segmentation/byte_level_bpe.h"
#include "tokenizer/segmentation/hf_unigram.h"

namespace deberta::tokenizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<ByteLevelBpe> AnyModel() {
  return *ByteLevelBpe::Create({.vocabulary = {{"a", 0}}});
}

std::unique_ptr<HfUnigram> LowerCaseModel() {
  return *HfUnigram::Create(
      {.pieces = {{"a", 0.0}},
       .normalizer = *Normalizer::Create({Normalizer::Lowercase{}}),
       .pre_tokenizer = {},
       .decoder = {}});
}

std::unique_ptr<const AddedTokens> Create(std::vector<AddedToken> tokens) {
  auto special = AddedTokens::Create(tokens, *AnyModel());
  EXPECT_TRUE(special.ok()) << special.status();
  return *std::move(special);
}

// "piece" for stretches, "<id>piece" for tokens.
std::vector<std::string> Split(const AddedTokens& tokens, std::string_view text,
                               bool normalized = false) {
  std::vector<std::string> pieces;
  for (const TextPiece& piece : tokens.Split(text, normalized)) {
    const std::string id =
        piece.id < 0 ? "" : "<" + std::to_string(piece.id) + ">";
    pieces.push_back(
        id + std::string(text.substr(piece.begin, piece.end - piece.begin)));
  }
  return pieces;
}

TEST(AddedTokensTest, CoversTheText) {
  const auto tokens = Create({{.id = 1, .content = "[CLS]"}});
  EXPECT_THAT(Split(*tokens, "[CLS]a [CLS][CLS] b"),
              ElementsAre("<1>[CLS]", "a ", "<1>[CLS]", "<1>[CLS]", " b"));
  EXPECT_THAT(Split(*tokens, "[CLS"), ElementsAre("[CLS"));
  EXPECT_THAT(Split(*tokens, ""), ElementsAre());
}

TEST(AddedTokensTest, PrefersTheLeftmostThenTheLongest) {
  const auto tokens = Create({{.id = 1, .content = "ab"},
                              {.id = 2, .content = "abcd"},
                              {.id = 3, .content = "bcde"}});
  EXPECT_THAT(Split(*tokens, "abcde"), ElementsAre("<2>abcd", "e"));
  EXPECT_THAT(Split(*tokens, "abce"), ElementsAre("<1>ab", "ce"));
  EXPECT_THAT(Split(*tokens, "bcde"), ElementsAre("<3>bcde"));
}

TEST(AddedTokensTest, TakesUnicodeWhiteSpaceOnRequest) {
  const auto tokens = Create({{.id = 1, .content = "<l>", .lstrip = true},
                              {.id = 2, .content = "<r>", .rstrip = true}});
  EXPECT_THAT(Split(*tokens, "a \u3000<l> b"),
              ElementsAre("a", "<1> \u3000<l>", " b"));
  EXPECT_THAT(Split(*tokens, "a <r>\t\u00A0b"),
              ElementsAre("a ", "<2><r>\t\u00A0", "b"));
  // The space between goes to the first.
  EXPECT_THAT(Split(*tokens, "<r> <l>"), ElementsAre("<2><r> ", "<1><l>"));
}

// A token of white space takes what is found again behind it.
TEST(AddedTokensTest, WhiteSpaceIsTakenOnce) {
  const auto tokens =
      Create({{.id = 1, .content = "  ", .lstrip = true, .rstrip = true}});
  EXPECT_THAT(Split(*tokens, "a       b  "),
              ElementsAre("a", "<1>       ", "b", "<1>  "));
}

TEST(AddedTokensTest, FindsSingleWordsOnlyAlone) {
  const auto tokens =
      Create({{.id = 1, .content = "cat", .single_word = true}});
  EXPECT_THAT(Split(*tokens, "cat cats (cat) _cat \u00E9cat"),
              ElementsAre("<1>cat", " cats (", "<1>cat", ") _cat \u00E9cat"));
}

TEST(AddedTokensTest, SeparatesRawFromNormalizedOnes) {
  const auto tokens =
      Create({{.id = 1, .content = "<raw>"},
              {.id = 2, .content = "<norm>", .normalized = true}});
  EXPECT_THAT(Split(*tokens, "<raw><norm>"), ElementsAre("<1><raw>", "<norm>"));
  EXPECT_THAT(Split(*tokens, "<raw><norm>", true),
              ElementsAre("<raw>", "<2><norm>"));
}

TEST(AddedTokensTest, TakesNewAttributesButNotNormalizedOfASpecialToken) {
  const auto tokens = Create({{.id = 1, .content = "<m>"},
                              {.id = 1,
                               .content = "<m>",
                               .lstrip = true,
                               .normalized = true,
                               .special = false}});
  EXPECT_THAT(Split(*tokens, "a <m>"), ElementsAre("a", "<1> <m>"));
  EXPECT_THAT(Split(*tokens, "a <m>", true), ElementsAre("a <m>"));
  EXPECT_TRUE(tokens->IsSpecial(1));
}

// From 0.23 on a token added again is looked for as it is now.
TEST(AddedTokensTest, TakesNormalizedOfTheLastWhereAsked) {
  const std::vector<AddedToken> tokens = {
      {.id = 1, .content = "<m>"},
      {.id = 1, .content = "<m>", .normalized = true},
      {.id = 2, .content = "<n>", .normalized = true},
      {.id = 2, .content = "<n>"}};
  const auto added =
      *AddedTokens::Create(tokens, *AnyModel(), {.from_0_23 = true});
  EXPECT_THAT(Split(*added, "<m><n>"), ElementsAre("<m>", "<2><n>"));
  EXPECT_THAT(Split(*added, "<m><n>", true), ElementsAre("<1><m>", "<n>"));
}

TEST(AddedTokensTest, LooksUpBothWays) {
  const auto tokens = Create(
      {{.id = 7, .content = "x", .special = false}, {.id = 3, .content = "y"}});
  EXPECT_EQ(tokens->TokenToId("x"), 7);
  EXPECT_EQ(tokens->TokenToId("z"), std::nullopt);
  EXPECT_EQ(tokens->IdToToken(3), "y");
  EXPECT_EQ(tokens->IdToToken(4), "");
  EXPECT_FALSE(tokens->IsSpecial(7));
  EXPECT_TRUE(tokens->IsSpecial(3));
  EXPECT_EQ(tokens->id_limit(), 8);
  EXPECT_EQ(Create({})->id_limit(), 0);
}

TEST(AddedTokensTest, PrefersASpecialOneOfTwoThatLookTheSame) {
  const auto model = LowerCaseModel();
  const std::vector<AddedToken> tokens = {
      {.id = 1, .content = "<X>", .normalized = true, .special = false},
      {.id = 2, .content = "<x>", .normalized = true},
      {.id = 3, .content = "<Y>", .normalized = true, .special = false},
      {.id = 4, .content = "<y>", .normalized = true, .special = false}};
  const auto added = *AddedTokens::Create(tokens, *model);
  EXPECT_THAT(Split(*added, "<x><y>", true), ElementsAre("<2><x>", "<3><y>"));
}

// `tokenizers` 0.23 decodes a token to what it was looked for as.
TEST(AddedTokensTest, NamesNormalizedTokensWhereAsked) {
  const auto model = LowerCaseModel();
  const std::vector<AddedToken> tokens = {
      {.id = 1, .content = "<X>", .normalized = true},
      {.id = 2, .content = "<Y>"}};
  const auto named = *AddedTokens::Create(tokens, *model, {.from_0_23 = true});
  EXPECT_EQ(named->IdToToken(1), "<x>");
  EXPECT_FALSE(named->IsSpecial(1));
  EXPECT_EQ(named->IdToToken(2), "<Y>");
  EXPECT_TRUE(named->IsSpecial(2));
  const auto plain = *AddedTokens::Create(tokens, *model);
  EXPECT_EQ(plain->IdToToken(1), "<X>");
  EXPECT_TRUE(plain->IsSpecial(1));
}

TEST(AddedTokensTest, RejectsWhatCannotBeFound) {
  const auto message = [](std::vector<AddedToken> tokens) {
    const auto special = AddedTokens::Create(tokens, *AnyModel());
    EXPECT_EQ(special.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(special.status().message());
  };
  EXPECT_THAT(message({{.id = 1, .content = ""}}), HasSubstr("non-empty"));
  EXPECT_THAT(message({{.id = 1, .content = "\xC3"}}), HasSubstr("UTF-8"));
  EXPECT_THAT(message({{.id = -1, .content = "a"}}), HasSubstr("id >= 0"));
  EXPECT_THAT(message({{.id = 1, .content = "a"}, {.id = 1, .content = "b"}}),
              HasSubstr("another added token"));
  EXPECT_THAT(message({{.id = 1, .content = "a"}, {.id = 2, .content = "a"}}),
              HasSubstr("another added token"));
}

// A scan that starts over at each bracket would take minutes.
TEST(AddedTokensTest, TakesAMegabyteOfBrackets) {
  const auto tokens = Create({{.id = 1, .content = "[MASK]", .lstrip = true}});
  EXPECT_EQ(tokens->Split(std::string(1 << 20, '['), false).size(), 1u);
  std::string spaces(1 << 20, ' ');
  spaces += "[MASK]";
  EXPECT_EQ(tokens->Split(spaces, false).size(), 1u);
}

}  // namespace
}  // namespace deberta::tokenizer
