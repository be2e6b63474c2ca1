#include "tokenizer/segmentation/hf_unigram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deberta::tokenizer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Pieces = std::vector<std::pair<std::string, double>>;

std::unique_ptr<Unigram> Make(Pieces pieces, UnigramOptions options = {}) {
  options.pieces = std::move(pieces);
  auto model = Unigram::Create(std::move(options));
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

// Without Metaspace: the text is one word.
UnigramOptions Plain() {
  UnigramOptions options;
  options.pre_tokenizer.prepend_scheme = Metaspace::PrependScheme::kNever;
  options.pre_tokenizer.split = false;
  return options;
}

TokenSequence Tokens(const Unigram& model, std::string_view text,
                     uint32_t first_code_point = 0) {
  TokenSequence out;
  int32_t next_word = 0;
  model.Segment(model.Normalize(text, first_code_point), &next_word, &out);
  return out;
}

std::vector<std::string> Strings(const Unigram& model, std::string_view text) {
  std::vector<std::string> out;
  for (const int32_t id : Tokens(model, text).ids) {
    out.emplace_back(model.IdToToken(id));
  }
  return out;
}

TEST(UnigramTest, TakesThePathOfTheHighestSum) {
  const auto model = Make({{"<unk>", 0},
                           {"a", -1},
                           {"b", -1},
                           {"ab", -1.5},
                           {"abc", -9},
                           {"c", -1}},
                          Plain());
  EXPECT_THAT(Strings(*model, "abc"), ElementsAre("ab", "c"));
}

TEST(UnigramTest, PrefersLongerPieceOnTie) {
  // "ab" ends where "b" ends: the one that starts first was there first.
  const auto model =
      Make({{"<unk>", 0}, {"a", -1}, {"b", -1}, {"ab", -2}}, Plain());
  EXPECT_THAT(Strings(*model, "ab"), ElementsAre("ab"));
}

TEST(UnigramTest, AddsScoresInDoublePrecision) {
  // Equal in single precision.
  const auto model = Make(
      {{"<unk>", 0}, {"a", -1}, {"b", -1}, {"ab", -2.00000000001}}, Plain());
  EXPECT_THAT(Strings(*model, "ab"), ElementsAre("a", "b"));
}

TEST(UnigramTest, FusesUnknownRunsIntoOneToken) {
  const auto model = Make({{"<unk>", 0}, {"a", -1}}, Plain());
  const TokenSequence tokens = Tokens(*model, "x\u00E9ay");
  EXPECT_THAT(tokens.ids, ElementsAre(0, 1, 0));
  EXPECT_THAT(tokens.offsets, ElementsAre(Span{0, 2}, Span{2, 3}, Span{3, 4}));
}

TEST(UnigramTest, AnUnknownCharacterCostsTenMoreThanTheWorstPiece) {
  // "ab" as a whole: -13. 'a' is no piece: -12 as unknown, then "b": -1.
  const auto cheap = Make({{"<unk>", 0}, {"b", -2}, {"ab", -13.9}}, Plain());
  EXPECT_THAT(Tokens(*cheap, "ab").ids, ElementsAre(2));
  // The piece of a whole character is taken however bad it is.
  const auto bad = Make({{"<unk>", 0}, {"a", -1000}}, Plain());
  EXPECT_THAT(Tokens(*bad, "a").ids, ElementsAre(1));
}

TEST(UnigramTest, TheUnknownPieceMatchesItsOwnText) {
  const auto model = Make({{"<unk>", 0}, {"a", -1}, {"x", -1}}, Plain());
  EXPECT_THAT(Tokens(*model, "a<unk>x").ids, ElementsAre(1, 0, 2));
}

TEST(UnigramTest, FallsBackToBytesOnlyWhereAllExist) {
  UnigramOptions options = Plain();
  options.byte_fallback = true;
  const auto model =
      Make({{"<unk>", 0}, {"a", -1}, {"<0xC3>", -1}, {"<0xA9>", -1}}, options);
  const TokenSequence tokens = Tokens(*model, "a\u00E9");
  EXPECT_THAT(tokens.ids, ElementsAre(1, 2, 3));
  EXPECT_THAT(tokens.offsets, ElementsAre(Span{0, 1}, Span{1, 2}, Span{1, 2}));
  EXPECT_THAT(Tokens(*model, "\u00E8").ids, ElementsAre(0));
  const auto without = Make({{"<unk>", 0}, {"<0xC3>", 0}, {"<0xA9>", 0}});
  EXPECT_THAT(Strings(*without, "\u00E9"), ElementsAre("<unk>"));
}

TEST(UnigramTest, MatchesBytePiecesLiterally) {
  const auto model = Make({{"<unk>", 0}, {"<0x41>", 0}, {"A", -1}}, Plain());
  EXPECT_THAT(Strings(*model, "<0x41>A"), ElementsAre("<0x41>", "A"));
}

Pieces MetaspacePieces() {
  return {{"<unk>", 0}, {"\u2581", -2}, {"a", -1},      {"b", -1},
          {"!", -1},    {"?", -1},      {"\u2581a", -1}};
}

TEST(UnigramTest, PrependsASpaceAndCutsWordsBeforeSpaces) {
  const auto model = Make(MetaspacePieces());
  const TokenSequence tokens = Tokens(*model, "a b  a", 5);
  EXPECT_THAT(tokens.ids, ElementsAre(6, 1, 3, 1, 6));
  EXPECT_THAT(tokens.offsets, ElementsAre(Span{5, 6}, Span{6, 7}, Span{7, 8},
                                          Span{8, 9}, Span{9, 11}));
  EXPECT_THAT(tokens.words, ElementsAre(0, 1, 1, 2, 3));
}

TEST(UnigramTest, APrependedSpaceSharesTheFirstCharactersSpan) {
  const TokenSequence tokens = Tokens(*Make(MetaspacePieces()), "b");
  EXPECT_THAT(tokens.ids, ElementsAre(1, 3));
  EXPECT_THAT(tokens.offsets, ElementsAre(Span{0, 1}, Span{0, 1}));
}

TEST(UnigramTest, PrependSchemes) {
  UnigramOptions first;
  first.pre_tokenizer.prepend_scheme = Metaspace::PrependScheme::kFirst;
  const auto model = Make(MetaspacePieces(), first);
  EXPECT_THAT(Tokens(*model, "a", 0).ids, ElementsAre(6));
  EXPECT_THAT(Tokens(*model, "a", 1).ids, ElementsAre(2));

  UnigramOptions never;
  never.pre_tokenizer.prepend_scheme = Metaspace::PrependScheme::kNever;
  EXPECT_THAT(Tokens(*Make(MetaspacePieces(), never), "a a").ids,
              ElementsAre(2, 6));
}

TEST(UnigramTest, IsolatesPunctuationBeforeMetaspace) {
  UnigramOptions options;
  options.split_by_punct = true;
  const TokenSequence tokens =
      Tokens(*Make(MetaspacePieces(), options), "a!?a");
  EXPECT_THAT(tokens.ids, ElementsAre(6, 1, 4, 1, 5, 6));
  EXPECT_THAT(tokens.words, ElementsAre(0, 1, 1, 2, 2, 3));
}

TEST(UnigramTest, OfEqualPiecesTheLastCounts) {
  const auto model = Make({{"<unk>", 0}, {"a", -1}, {"a", -3}}, Plain());
  EXPECT_THAT(Tokens(*model, "a").ids, ElementsAre(2));
  EXPECT_EQ(model->TokenToId("a"), 2);
  EXPECT_EQ(model->IdToToken(1), "a");
}

TEST(UnigramTest, DecodesSpacesAndDropsThoseOfTheFirstToken) {
  const auto model = Make(MetaspacePieces());
  const std::vector<std::string_view> tokens = {"\u2581\u2581a", "\u2581b",
                                                "<0x41>", "[SEP]"};
  EXPECT_EQ(model->Decode(tokens), "a b<0x41>[SEP]");
  UnigramOptions never;
  never.decoder.prepend_scheme = Metaspace::PrependScheme::kNever;
  EXPECT_EQ(Make(MetaspacePieces(), never)->Decode(tokens), "  a b<0x41>[SEP]");
  EXPECT_EQ(model->Decode({}), "");
}

TEST(UnigramTest, LooksUpTheVocabulary) {
  const auto model = Make(MetaspacePieces());
  EXPECT_EQ(model->vocab_size(), 7);
  EXPECT_EQ(model->TokenToId("\u2581a"), 6);
  EXPECT_EQ(model->TokenToId("\xE2\x96"), std::nullopt);
  EXPECT_EQ(model->TokenToId(""), std::nullopt);
  EXPECT_EQ(model->IdToToken(7), "");
  EXPECT_EQ(model->IdToToken(-1), "");
}

TEST(UnigramTest, RefusesVocabulariesItCannotServe) {
  const auto message = [](Pieces pieces, int32_t unk_id) {
    UnigramOptions options;
    options.pieces = std::move(pieces);
    options.unk_id = unk_id;
    return std::string(Unigram::Create(options).status().message());
  };
  EXPECT_THAT(message({}, 0), HasSubstr("pieces"));
  EXPECT_THAT(message({{"a", 0}}, 1), HasSubstr("unk_id is 1"));
  EXPECT_THAT(message({{"a", 0}}, -1), HasSubstr("unk_id is -1"));
  EXPECT_THAT(message({{"a", std::numeric_limits<double>::quiet_NaN()}}, 0),
              HasSubstr("score of piece 0"));
  EXPECT_THAT(message({{"a", 0}, {"\xC3", 0}}, 0), HasSubstr("piece 1"));
  EXPECT_THAT(message({{std::string(5000, 'a'), 0}}, 0), HasSubstr("piece 0"));
}

TEST(UnigramTest, OneVeryLongWordTakesOneStep) {
  const auto model = Make(MetaspacePieces());
  const TokenSequence tokens = Tokens(*model, std::string(200000, 'b'));
  EXPECT_EQ(tokens.size(), 200001U);
  EXPECT_EQ(tokens.offsets.back(), (Span{199999, 200000}));
}

}  // namespace
}  // namespace deberta::tokenizer
