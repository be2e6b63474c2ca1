#include "tokenizer/segmentation/sentencepiece_bpe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Type = SentencePieceModel::PieceType;

SentencePieceModel Model(std::vector<SentencePieceModel::Piece> pieces) {
  SentencePieceModel model;
  model.model_type = SentencePieceModel::kBpeModelType;
  model.pieces = std::move(pieces);
  model.pieces.insert(model.pieces.begin(), {"[UNK]", 0, Type::kUnknown});
  return model;
}

// The pieces of `text`, with a "?" before unknown ones.
std::vector<std::string> Segment(const SentencePieceModel& model,
                                 std::string_view text,
                                 bool fuses_unknown = true) {
  const auto bpe = SentencePieceBpe::Create(model);
  EXPECT_TRUE(bpe.ok()) << bpe.status();
  SentencePieceBpe::Workspace workspace;
  std::vector<std::string> out;
  size_t next = text.size();
  for (const auto& [begin, end, id] :
       bpe->Segment(text, fuses_unknown, &workspace)) {
    EXPECT_EQ(end, next);
    next = begin;
    out.insert(out.begin(), (id == 0 ? "?" : "") +
                                std::string(text.substr(begin, end - begin)));
  }
  EXPECT_EQ(next, 0U);
  return out;
}

TEST(SentencePieceBpeTest, MergesTheBestScoreFirstAndTheLeftmostOfEquals) {
  EXPECT_THAT(
      Segment(Model({{"a", -9}, {"b", -9}, {"ab", -1}, {"ba", 0}}), "abab"),
      ElementsAre("a", "ba", "b"));
  EXPECT_THAT(Segment(Model({{"a", -9}, {"aa", -1}}), "aaa"),
              ElementsAre("aa", "a"));
  // Two pieces of one score: the place decides.
  EXPECT_THAT(
      Segment(Model({{"a", -9}, {"b", -9}, {"ab", -1}, {"ba", -1}}), "bab"),
      ElementsAre("ba", "b"));
}

// It is the text of two neighbours that must be a piece, not the neighbours.
TEST(SentencePieceBpeTest, MergesCharactersThatAreNoPieces) {
  const SentencePieceModel model = Model({{"xy", -1}, {"xyz", -2}});
  EXPECT_THAT(Segment(model, "xyzx"), ElementsAre("xyz", "?x"));
  EXPECT_THAT(Segment(model, "zzxy"), ElementsAre("?zz", "xy"));
  EXPECT_THAT(Segment(model, "zz", false), ElementsAre("?z", "?z"));
}

TEST(SentencePieceBpeTest, UserDefinedPiecesAreNeverMerged) {
  const SentencePieceModel model = Model({{"a", -1},
                                          {"b", -1},
                                          {"ab", 0},
                                          {"aab", 0},
                                          {"aa", 0, Type::kUserDefined},
                                          {"aaaa", 0, Type::kUserDefined}});
  EXPECT_THAT(Segment(model, "aab"), ElementsAre("aa", "b"));
  EXPECT_THAT(Segment(model, "baaaaab"), ElementsAre("b", "aaaa", "ab"));
  EXPECT_THAT(Segment(model, "?aa?"), ElementsAre("??", "aa", "??"));
}

TEST(SentencePieceBpeTest, MergesOverSpacesOnlyWithPiecesThatHoldThem) {
  std::vector<SentencePieceModel::Piece> pieces = {
      {"\u2581", -1}, {"a", -1}, {"\u2581a", -2}, {"a\u2581", -9}};
  EXPECT_THAT(Segment(Model(pieces), "a\u2581a\u2581"),
              ElementsAre("a", "\u2581a", "\u2581"));
  pieces.back().score = 0;
  EXPECT_THAT(Segment(Model(pieces), "a\u2581a\u2581"),
              ElementsAre("a\u2581", "a\u2581"));
}

TEST(SentencePieceBpeTest, RefusesUnusedPieces) {
  const auto bpe = SentencePieceBpe::Create(Model({{"a", 0, Type::kUnused}}));
  EXPECT_THAT(std::string(bpe.status().message()), HasSubstr("unused"));
}

// The library's own description, step by step: quadratic.
std::vector<std::string> Slowly(const std::map<std::string, float>& scores,
                                std::string_view text) {
  std::vector<std::string> symbols;
  for (size_t end = 0; end < text.size();) {
    const size_t begin = end;
    DecodeUtf8(text, &end);
    symbols.emplace_back(text.substr(begin, end - begin));
  }
  for (;;) {
    std::optional<size_t> best;
    float best_score = 0;
    for (size_t i = 1; i < symbols.size(); ++i) {
      const auto found = scores.find(symbols[i - 1] + symbols[i]);
      if (found == scores.end()) continue;
      if (best && found->second <= best_score) continue;
      best = i;
      best_score = found->second;
    }
    if (!best) return symbols;
    symbols[*best - 1] += symbols[*best];
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(*best));
  }
}

TEST(SentencePieceBpeTest, EqualsTheSlowWayOnRandomModelsAndTexts) {
  std::mt19937 random(7);
  const std::string_view alphabet[] = {"a", "b", "\u00e9", "\u2581"};
  const auto text_of = [&](size_t length) {
    std::string text;
    for (size_t i = 0; i < length; ++i) text += alphabet[random() % 4];
    return text;
  };
  for (int round = 0; round < 300; ++round) {
    std::map<std::string, float> scores;
    for (const std::string_view letter : alphabet) {
      scores[std::string(letter)] = -99;
    }
    for (int i = 0; i < 30; ++i) {
      // Few scores, so that many are equal.
      scores[text_of(2 + random() % 4)] = -static_cast<float>(random() % 8);
    }
    std::vector<SentencePieceModel::Piece> pieces;
    for (const auto& [text, score] : scores) pieces.push_back({text, score});
    // Beyond 48 symbols the merges are found in another way.
    const std::string text = text_of(1 + random() % 150);
    EXPECT_EQ(Segment(Model(pieces), text), Slowly(scores, text)) << text;
  }
}

}  // namespace
}  // namespace deberta::tokenizer
