#include "tokenizer/segmentation/sentencepiece_segmenter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deberta::tokenizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Type = SentencePieceModel::PieceType;

SentencePieceModel Model() {
  SentencePieceModel model;
  model.pieces = {{"[UNK]", 0, Type::kUnknown},  {"[CLS]", 0, Type::kControl},
                  {"\u2581", -3, Type::kNormal}, {"\u2581a", -2, Type::kNormal},
                  {"b", -2, Type::kNormal},      {"ab", -9, Type::kNormal},
                  {"a", -5, Type::kNormal},      {"<x>", 0, Type::kUserDefined},
                  {"bb", -1, Type::kUnused}};
  return model;
}

SentencePieceModel WithBytes() {
  SentencePieceModel model = Model();
  model.byte_fallback = true;
  for (unsigned byte = 0; byte < 256; ++byte) {
    char piece[16];
    std::snprintf(piece, sizeof(piece), "<0x%02X>", byte);
    model.pieces.push_back({piece, 0, Type::kByte});
  }
  return model;
}

struct Result {
  std::vector<std::string> tokens;
  std::vector<Span> offsets;
  std::vector<int32_t> words;
};

Result Encode(SentencePieceModel model, std::string_view text,
              const SpmOptions& options = {}) {
  const auto segmenter =
      SentencePieceSegmenter::Create(std::move(model), options);
  EXPECT_TRUE(segmenter.ok()) << segmenter.status();
  TokenSequence sequence;
  int32_t next_word = 0;
  (*segmenter)
      ->Segment((*segmenter)->Normalize(text, 0), &next_word, &sequence);
  Result result;
  for (const int32_t id : sequence.ids) {
    result.tokens.emplace_back((*segmenter)->IdToToken(id));
  }
  result.offsets = sequence.offsets;
  result.words = sequence.words;
  return result;
}

TEST(SentencePieceTest, CollapsesSpacesAndPrependsOne) {
  const Result result = Encode(Model(), "  a   ab ");
  EXPECT_THAT(result.tokens, ElementsAre("\u2581a", "\u2581a", "b"));
  // The library's own: a collapsed run counts to the piece behind it.
  EXPECT_THAT(result.offsets, ElementsAre(Span{2, 3}, Span{3, 7}, Span{7, 8}));
  EXPECT_THAT(result.words, ElementsAre(0, 1, 1));
  EXPECT_THAT(Encode(Model(), "   ").tokens, IsEmpty());
}

TEST(SentencePieceTest, FusesUnknownCharactersWithoutByteFallback) {
  const Result result = Encode(Model(), "a\u4e2d\u6587b");
  EXPECT_THAT(result.tokens, ElementsAre("\u2581a", "[UNK]", "b"));
  EXPECT_THAT(result.offsets, ElementsAre(Span{0, 1}, Span{1, 3}, Span{3, 4}));
}

TEST(SentencePieceTest, SpellsUnknownCharactersInBytes) {
  const Result result = Encode(WithBytes(), "a\u4e2d");
  EXPECT_THAT(result.tokens,
              ElementsAre("\u2581a", "<0xE4>", "<0xB8>", "<0xAD>"));
  EXPECT_THAT(result.offsets,
              ElementsAre(Span{0, 1}, Span{1, 1}, Span{1, 1}, Span{1, 2}));
}

TEST(SentencePieceTest, FindsUserDefinedPiecesButNoReservedOrUnusedOnes) {
  EXPECT_THAT(Encode(Model(), "a<x>b").tokens,
              ElementsAre("\u2581a", "<x>", "b"));
  EXPECT_THAT(Encode(WithBytes(), "<0x41>").tokens,
              testing::Not(testing::Contains("<0x41>")));
  EXPECT_THAT(Encode(Model(), "bb").tokens, ElementsAre("\u2581", "b", "b"));
}

// As transformers does it: the pieces become text, and then ids again.
TEST(SentencePieceTest, LooksUnknownTextUpAgain) {
  EXPECT_THAT(Encode(Model(), "a[CLS]").tokens,
              ElementsAre("\u2581a", "[CLS]"));
}

TEST(SentencePieceTest, SplitsAtPunctuationAndLowersCase) {
  const Result result =
      Encode(Model(), "A.B", {.do_lower_case = true, .split_by_punct = true});
  EXPECT_THAT(result.tokens,
              ElementsAre("\u2581a", "\u2581", "[UNK]", "\u2581", "b"));
}

TEST(SentencePieceTest, KeepsScoresPreciseInLongTexts) {
  SentencePieceModel model = Model();
  model.pieces[4].score = -60000;  // b: one in two resets the sums
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "ab";
  const Result result = Encode(std::move(model), text);
  EXPECT_EQ(result.tokens.size(), 1001U);
  EXPECT_EQ(result.tokens.back(), "ab");
}

TEST(SentencePieceTest, RunsBpeModels) {
  SentencePieceModel model = Model();
  model.model_type = SentencePieceModel::kBpeModelType;
  model.pieces.pop_back();  // unused
  const Result result = Encode(model, "ab a<x>\u4e2d\u6587");
  // "ab" scores least, and "\u2581a" is there before.
  EXPECT_THAT(result.tokens,
              ElementsAre("\u2581a", "b", "\u2581a", "<x>", "[UNK]"));
  EXPECT_THAT(result.offsets, ElementsAre(Span{0, 1}, Span{1, 2}, Span{2, 4},
                                          Span{4, 7}, Span{7, 9}));
  EXPECT_THAT(result.words, ElementsAre(0, 0, 1, 1, 1));
}

TEST(SentencePieceTest, Decodes) {
  const auto segmenter = *SentencePieceSegmenter::Create(WithBytes(), {});
  const auto decode = [&](std::vector<std::string_view> tokens) {
    return segmenter->Decode(tokens);
  };
  EXPECT_EQ(decode({"\u2581a", "b", "\u2581a"}), "ab a");
  EXPECT_EQ(decode({"<0xE4>", "<0xB8>", "<0xAD>", "b"}), "\u4e2db");
  EXPECT_EQ(decode({"<0xE4>", "<0xB8>", "b"}), "\ufffd\ufffdb");
  EXPECT_EQ(decode({"[CLS]", "\u2581a", "[UNK]", "\u4e2d"}), "a \u2047 \u4e2d");
}

TEST(SentencePieceTest, RefusesModelsThatTheLibraryRefuses) {
  const auto error = [](SentencePieceModel model) {
    return std::string(SentencePieceSegmenter::Create(std::move(model), {})
                           .status()
                           .message());
  };
  SentencePieceModel model = Model();
  model.pieces.push_back({"b", 0, Type::kNormal});
  EXPECT_THAT(error(model), HasSubstr("no earlier piece"));
  model.pieces.back().text = "";
  EXPECT_THAT(error(model), HasSubstr("1 to 4096 bytes"));
  model.pieces.back() = {"[UNK2]", 0, Type::kUnknown};
  EXPECT_THAT(error(model), HasSubstr("only one unknown"));
  model.pieces.back() = {"<0x00>", 0, Type::kByte};
  EXPECT_THAT(error(model), HasSubstr("byte_fallback"));
  model = WithBytes();
  model.pieces.pop_back();
  EXPECT_THAT(error(model), HasSubstr("<0xFF>"));
  model = Model();
  model.pieces[0].type = Type::kNormal;
  EXPECT_THAT(error(model), HasSubstr("unknown piece"));
  model = Model();
  model.model_type = 3;
  EXPECT_THAT(error(model), HasSubstr("(BPE), got 3 (words)"));
  model = Model();
  model.has_denormalizer = true;
  EXPECT_THAT(error(model), HasSubstr("denormalizer"));
}

}  // namespace
}  // namespace deberta::tokenizer
