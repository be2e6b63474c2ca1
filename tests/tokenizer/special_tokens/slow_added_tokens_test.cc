#include "tokenizer/special_tokens/slow_added_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/segmentation/sentencepiece_segmenter.h"

namespace deberta::tokenizer {
namespace {

using ::testing::ElementsAre;
using Type = SentencePieceModel::PieceType;

std::unique_ptr<SentencePieceSegmenter> Segmenter(bool lower) {
  SentencePieceModel model;
  model.pieces = {{"[UNK]", 0, Type::kUnknown}, {"\u2581a", -1, Type::kNormal}};
  return *SentencePieceSegmenter::Create(std::move(model),
                                         {.do_lower_case = lower});
}

AddedToken Token(int32_t id, std::string content) {
  AddedToken token;
  token.id = id;
  token.content = std::move(content);
  return token;
}

std::vector<std::string> Split(const SlowAddedTokens::Options& options,
                               std::string_view text, bool lower = false) {
  const SlowAddedTokens tokens(options, 2);
  std::vector<std::string> out;
  for (const auto& stretch : tokens.Split(text, *Segmenter(lower))) {
    out.push_back(stretch.text.text + (stretch.id >= 0 ? " #" : "") +
                  (stretch.id >= 0 ? std::to_string(stretch.id) : ""));
    EXPECT_EQ(stretch.text.text.size(), stretch.text.spans.size());
  }
  return out;
}

TEST(SlowAddedTokensTest, FindsTheLongestWhateverIsNormalized) {
  SlowAddedTokens::Options options{
      .tokens = {Token(5, "[A]"), Token(6, "[A][B]")}};
  options.tokens[0].normalized = true;
  EXPECT_THAT(Split(options, "x[A][B][A] y"),
              ElementsAre("x", "[A][B] #6", "[A] #5", " y"));
}

TEST(SlowAddedTokensTest, StripsAsPythonDoes) {
  SlowAddedTokens::Options options{.tokens = {Token(5, "[A]")}};
  options.tokens[0].lstrip = true;
  options.tokens[0].rstrip = true;
  EXPECT_THAT(Split(options, "x \u3000\x1c[A]\t y"),
              ElementsAre("x", "[A] #5", "y"));
}

TEST(SlowAddedTokensTest, SingleWordsJoinWhatTheyTouch) {
  SlowAddedTokens::Options options{.tokens = {Token(5, "ab"), Token(6, "[C]")}};
  options.tokens[0].single_word = true;
  EXPECT_THAT(Split(options, "x ab y"), ElementsAre("x ", "ab #5", " y"));
  EXPECT_THAT(Split(options, "xab y"), ElementsAre("xab", " y"));
  EXPECT_THAT(Split(options, "abx"), ElementsAre("abx"));
  EXPECT_THAT(Split(options, "[C]ab"), ElementsAre("[C]ab"));
  EXPECT_THAT(Split(options, "abab"), ElementsAre("abab"));
}

TEST(SlowAddedTokensTest, LowersAllButSpecialTokens) {
  SlowAddedTokens::Options options{
      .tokens = {Token(5, "[CLS]"), Token(6, "<T>")}, .named = {"[CLS]"}};
  options.tokens[1].special = false;
  EXPECT_THAT(Split(options, "A[CLS]<T>\u0130", /*lower=*/true),
              ElementsAre("a", "[CLS] #5", "<t>i\u0307"));
}

TEST(SlowAddedTokensTest, SetsSpecialTokensApart) {
  const auto segmenter = Segmenter(false);
  const SlowAddedTokens tokens({.tokens = {Token(5, "[CLS]"), Token(6, "<t>")},
                                .named = {"[CLS]", "[UNK]"},
                                .additional = {}},
                               2);
  const auto decode = [&](std::vector<std::string_view> pieces) {
    return tokens.Decode(pieces, *segmenter);
  };
  EXPECT_EQ(decode({"[CLS]", "\u2581a", "\u2581a", "[CLS]"}), "[CLS] a a[CLS]");
  EXPECT_EQ(decode({"\u2581a", "<t>", "\u2581a"}), "a <t> a");
  EXPECT_EQ(decode({"<t>", "<t>"}), "<t> <t>");
  EXPECT_EQ(decode({}), "");
  EXPECT_TRUE(tokens.IsSpecial("[UNK]"));
  EXPECT_FALSE(tokens.IsSpecial("<t>"));
}

}  // namespace
}  // namespace deberta::tokenizer
