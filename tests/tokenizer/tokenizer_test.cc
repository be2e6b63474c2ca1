#include "tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/pre_tokenization/byte_level.h"
#include "tokenizer/segmentation/byte_level_bpe.h"
#include "tokenizer/special_tokens/added_tokens.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// DeBERTa v1 in small: [PAD] 0, [CLS] 1, [SEP] 2, [UNK] 3, the bytes from 4,
// "Ġcat" and "the", [MASK] last.
struct Small {
  explicit Small(bool clean_up = false) {
    ByteLevelBpeOptions options;
    int32_t id = 0;
    const auto add = [&](std::string token) {
      options.vocabulary.emplace_back(std::move(token), id++);
    };
    for (const char* special : {"[PAD]", "[CLS]", "[SEP]", "[UNK]"}) {
      add(special);
    }
    for (int b = 0; b < 256; ++b) {
      std::string character;
      AppendUtf8(ByteCharacter(static_cast<char>(b)), &character);
      add(character);
    }
    options.merges = {{"t", "h"},
                      {"th", "e"},
                      {"\u0120", "c"},
                      {"a", "t"},
                      {"\u0120c", "at"}};
    for (const auto& [left, right] : options.merges) add(left + right);
    mask = id;
    add("[MASK]");
    auto bpe = *ByteLevelBpe::Create(options);
    std::vector<AddedToken> added;
    for (int32_t i = 0; i < 4; ++i) {
      added.push_back({.id = i, .content = std::string(bpe->IdToToken(i))});
    }
    added.push_back(
        {.id = mask, .content = "[MASK]", .lstrip = true, .normalized = true});
    auto special = *AddedTokens::Create(added, *bpe);
    tokenizer = std::make_unique<Tokenizer>(
        Tokenizer::Options{
            .special_ids =
                {.cls = 1, .sep = 2, .pad = 0, .unk = 3, .mask = mask},
            .model_max_length = 512,
            .clean_up_tokenization_spaces = clean_up},
        std::move(bpe), std::move(special));
  }

  std::vector<std::string> Tokens(std::string_view text) const {
    std::vector<std::string> tokens;
    const TokenSequence sequence = *tokenizer->Tokenize(text);
    for (const int32_t id : sequence.ids) {
      tokens.emplace_back(tokenizer->IdToToken(id));
    }
    return tokens;
  }

  int32_t mask = 0;
  std::unique_ptr<Tokenizer> tokenizer;
};

// Spec 5.2: the mask takes the space before it.
TEST(TokenizerTest, FindsSpecialTokensInTheText) {
  const Small small;
  EXPECT_THAT(small.Tokens("the [MASK] cat"),
              ElementsAre("the", "[MASK]", "\u0120cat"));
  const TokenSequence tokens = *small.tokenizer->Tokenize("the [MASK] cat");
  EXPECT_THAT(tokens.offsets,
              ElementsAre(Span{0, 3}, Span{3, 10}, Span{10, 14}));
  EXPECT_THAT(tokens.words, ElementsAre(0, 1, 2));
  EXPECT_THAT(small.Tokens("[CLS]the[SEP]"),
              ElementsAre("[CLS]", "the", "[SEP]"));
}

TEST(TokenizerTest, CountsOffsetsInCodePoints) {
  const Small small;
  const TokenSequence tokens =
      *small.tokenizer->Tokenize("\U0001F600[SEP]\u00E9[MASK] cat");
  EXPECT_THAT(
      tokens.offsets,
      ElementsAre(Span{0, 1}, Span{0, 1}, Span{0, 1}, Span{0, 1}, Span{1, 6},
                  Span{6, 7}, Span{6, 7}, Span{7, 13}, Span{13, 17}));
}

TEST(TokenizerTest, RejectsInvalidUtf8WithItsPlace) {
  const Small small;
  const auto tokens = small.tokenizer->Tokenize("the \xC3( cat");
  EXPECT_EQ(tokens.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(tokens.status().message()), HasSubstr("offset 4"));
}

TEST(TokenizerTest, AssemblesOneSequence) {
  const Small small;
  const TokenSequence a = *small.tokenizer->Tokenize("the cat");
  const Encoding encoding = small.tokenizer->Assemble(a, nullptr);
  EXPECT_THAT(encoding.ids, ElementsAre(1, a.ids[0], a.ids[1], 2));
  EXPECT_THAT(encoding.type_ids, ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(encoding.special_tokens_mask, ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(encoding.offsets,
              ElementsAre(Span{0, 0}, Span{0, 3}, Span{3, 7}, Span{0, 0}));
  EXPECT_THAT(encoding.sequence_ids, ElementsAre(-1, 0, 0, -1));
  EXPECT_THAT(encoding.words, ElementsAre(-1, 0, 1, -1));
}

TEST(TokenizerTest, AssemblesAPair) {
  const Small small;
  const TokenSequence a = *small.tokenizer->Tokenize("the");
  const TokenSequence b = *small.tokenizer->Tokenize("[SEP] cat");
  const Encoding encoding = small.tokenizer->Assemble(a, &b);
  EXPECT_THAT(encoding.ids, ElementsAre(1, a.ids[0], 2, 2, b.ids[1], 2));
  EXPECT_THAT(encoding.type_ids, ElementsAre(0, 0, 0, 1, 1, 1));
  EXPECT_THAT(encoding.special_tokens_mask, ElementsAre(1, 0, 1, 0, 0, 1));
  EXPECT_THAT(encoding.sequence_ids, ElementsAre(-1, 0, -1, 1, 1, -1));
  EXPECT_THAT(encoding.words, ElementsAre(-1, 0, -1, 0, 1, -1));
}

TEST(TokenizerTest, AssemblesEmptyTexts) {
  const Small small;
  const TokenSequence none = *small.tokenizer->Tokenize("");
  EXPECT_EQ(none.size(), 0u);
  EXPECT_THAT(small.tokenizer->Assemble(none, nullptr).ids, ElementsAre(1, 2));
  EXPECT_THAT(small.tokenizer->Assemble(none, &none).type_ids,
              ElementsAre(0, 0, 1));
}

TEST(TokenizerTest, DecodesWithAndWithoutSpecialTokens) {
  const Small small;
  const std::vector<int32_t> ids = {
      1,          *small.tokenizer->TokenToId("the"),
      small.mask, *small.tokenizer->TokenToId("\u0120cat"),
      -5,         1 << 30,
      2};
  EXPECT_EQ(small.tokenizer->Decode(ids, false), "[CLS]the[MASK] cat[SEP]");
  EXPECT_EQ(small.tokenizer->Decode(ids, true), "the cat");
}

TEST(TokenizerTest, CleansUpOnRequest) {
  constexpr std::string_view kText = "a . b ? c ! d , e ' f n't 'm 's 've 're";
  for (const bool clean_up : {false, true}) {
    const Small small(clean_up);
    const TokenSequence tokens = *small.tokenizer->Tokenize(kText);
    EXPECT_EQ(small.tokenizer->Decode(tokens.ids, true),
              clean_up ? "a. b? c! d, e'fn't'm's've're" : kText);
  }
}

TEST(TokenizerTest, LooksUpAddedAndModelTokens) {
  const Small small;
  EXPECT_EQ(small.tokenizer->TokenToId("[MASK]"), small.mask);
  EXPECT_EQ(small.tokenizer->IdToToken(small.mask), "[MASK]");
  EXPECT_EQ(small.tokenizer->TokenToId("cat"), std::nullopt);
  EXPECT_EQ(small.tokenizer->IdToToken(small.mask + 1), "");
  EXPECT_EQ(small.tokenizer->vocab_size(), small.mask + 1);
  EXPECT_GT(small.tokenizer->resident_bytes(), 1000u);
}

}  // namespace
}  // namespace deberta::tokenizer
