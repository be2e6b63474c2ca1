#include "tokenizer/segmentation/byte_level_bpe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/pre_tokenization/byte_level.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Merges = std::vector<std::pair<std::string, std::string>>;

// All bytes, in order, then the results of the merges; `without` is left out.
ByteLevelBpeOptions Options(const Merges& merges,
                            std::string_view without = "") {
  ByteLevelBpeOptions options;
  int32_t id = 0;
  const auto add = [&](std::string token) {
    for (const auto& [known, known_id] : options.vocabulary) {
      if (known == token) return;
    }
    options.vocabulary.emplace_back(std::move(token), id++);
  };
  for (int b = 0; b < 256; ++b) {
    const char byte = static_cast<char>(b);
    if (without.find(byte) != without.npos) continue;
    std::string character;
    AppendUtf8(ByteCharacter(byte), &character);
    add(character);
  }
  for (const auto& [left, right] : merges) add(left + right);
  options.merges = merges;
  return options;
}

TokenSequence Tokenize(const Segmenter& bpe, std::string_view text) {
  TokenSequence tokens;
  int32_t next_word = 0;
  bpe.Segment(bpe.Normalize(text, 0), &next_word, &tokens);
  return tokens;
}

std::vector<std::string> Tokens(const Segmenter& bpe, std::string_view text) {
  std::vector<std::string> tokens;
  const TokenSequence sequence = Tokenize(bpe, text);
  for (const int32_t id : sequence.ids) {
    tokens.emplace_back(bpe.IdToToken(id));
  }
  return tokens;
}

std::unique_ptr<ByteLevelBpe> Create(const ByteLevelBpeOptions& options) {
  auto bpe = ByteLevelBpe::Create(options);
  EXPECT_TRUE(bpe.ok()) << bpe.status();
  return *std::move(bpe);
}

TEST(ByteLevelBpeTest, MergesTheLowestRankFirst) {
  const auto bpe =
      Create(Options({{"b", "c"}, {"a", "b"}, {"a", "bc"}, {"ab", "c"}}));
  EXPECT_THAT(Tokens(*bpe, "abc"), ElementsAre("abc"));
  EXPECT_THAT(Tokens(*bpe, "abab"), ElementsAre("ab", "ab"));
  const auto other = Create(Options({{"a", "b"}, {"b", "c"}}));
  EXPECT_THAT(Tokens(*other, "abc"), ElementsAre("ab", "c"));
}

TEST(ByteLevelBpeTest, MergesEqualRanksFromTheLeft) {
  const auto bpe = Create(Options({{"a", "a"}}));
  EXPECT_THAT(Tokens(*bpe, "aaaaa"), ElementsAre("aa", "aa", "a"));
}

TEST(ByteLevelBpeTest, KeepsTheSpaceWithTheWord) {
  const auto bpe = Create(Options({{"\u0120", "b"}}));
  const TokenSequence tokens = Tokenize(*bpe, "a b");
  EXPECT_THAT(Tokens(*bpe, "a b"), ElementsAre("a", "\u0120b"));
  EXPECT_THAT(tokens.offsets, ElementsAre(Span{0, 1}, Span{1, 3}));
  EXPECT_THAT(tokens.words, ElementsAre(0, 1));
}

TEST(ByteLevelBpeTest, GivesBytesTheSpanOfTheirCharacter) {
  const auto bpe = Create(Options({}));
  const TokenSequence tokens = Tokenize(*bpe, "a\u00E9b");
  EXPECT_THAT(tokens.offsets,
              ElementsAre(Span{0, 1}, Span{1, 2}, Span{1, 2}, Span{2, 3}));
  EXPECT_THAT(tokens.words, ElementsAre(0, 0, 0, 0));
}

TEST(ByteLevelBpeTest, DoesNotUseATokenThatMergesDoNotReach) {
  ByteLevelBpeOptions options = Options({{"a", "b"}});
  options.vocabulary.emplace_back("abc", 300);
  const auto bpe = Create(options);
  EXPECT_THAT(Tokens(*bpe, "abc"), ElementsAre("ab", "c"));
  EXPECT_EQ(bpe->TokenToId("abc"), 300);
  EXPECT_EQ(bpe->vocab_size(), 301);
  EXPECT_EQ(bpe->IdToToken(299), "");
}

TEST(ByteLevelBpeTest, PrependsASpaceOnRequest) {
  ByteLevelBpeOptions options = Options({{"\u0120", "b"}});
  options.add_prefix_space = true;
  const auto bpe = Create(options);
  EXPECT_THAT(Tokens(*bpe, "bb"), ElementsAre("\u0120b", "b"));
  EXPECT_THAT(Tokenize(*bpe, "bb").offsets,
              ElementsAre(Span{0, 1}, Span{1, 2}));
  EXPECT_THAT(Tokens(*bpe, " b"), ElementsAre("\u0120b"));
  EXPECT_THAT(Tokens(*bpe, "\nb"), ElementsAre("\u0120", "\u010A", "b"));
}

// tokenizers counts offsets over the kept symbols only.
TEST(ByteLevelBpeTest, DropsUnknownBytesAndShiftsOffsets) {
  const auto bpe = Create(Options({}, "b"));
  EXPECT_THAT(Tokens(*bpe, "abc"), ElementsAre("a", "c"));
  EXPECT_THAT(Tokenize(*bpe, "abc").offsets,
              ElementsAre(Span{0, 1}, Span{1, 2}));
  EXPECT_EQ(Tokenize(*bpe, "b").size(), 0u);
}

TEST(ByteLevelBpeTest, ReplacesUnknownBytesOnRequest) {
  ByteLevelBpeOptions options = Options({}, "b");
  options.vocabulary.emplace_back("[UNK]", 300);
  options.unk_token = "[UNK]";
  const auto bpe = Create(options);
  EXPECT_THAT(Tokens(*bpe, "abc"), ElementsAre("a", "[UNK]", "c"));
  EXPECT_THAT(Tokenize(*bpe, "abc").offsets,
              ElementsAre(Span{0, 1}, Span{1, 2}, Span{2, 3}));
}

// The plain definition: the lowest rank, leftmost, until none is left.
std::vector<std::string> NaiveMerge(const Merges& merges,
                                    std::string_view word) {
  std::vector<std::string> symbols;
  for (const char c : word) symbols.emplace_back(1, c);
  while (true) {
    size_t best_rank = merges.size();
    size_t best = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      for (size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[rank].first == symbols[i] &&
            merges[rank].second == symbols[i + 1]) {
          best_rank = rank;
          best = i;
        }
      }
    }
    if (best_rank == merges.size()) return symbols;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST(ByteLevelBpeTest, EqualsTheDefinitionOnRandomMergesAndWords) {
  std::mt19937 random(7);
  const auto pick = [&](size_t n) { return static_cast<size_t>(random() % n); };
  for (int round = 0; round < 30; ++round) {
    std::vector<std::string> symbols = {"a", "b", "c"};
    Merges merges;
    std::set<std::pair<std::string, std::string>> seen;
    for (int i = 0; i < 40; ++i) {
      std::pair<std::string, std::string> pair(symbols[pick(symbols.size())],
                                               symbols[pick(symbols.size())]);
      if (!seen.insert(pair).second) continue;
      symbols.push_back(pair.first + pair.second);
      merges.push_back(std::move(pair));
    }
    const auto bpe = Create(Options(merges));
    // Short and long words take different ways.
    for (const size_t length : {1u, 2u, 5u, 20u, 47u, 48u, 49u, 50u, 300u}) {
      std::string word;
      for (size_t i = 0; i < length; ++i)
        word += static_cast<char>('a' + pick(3));
      EXPECT_EQ(Tokens(*bpe, word), NaiveMerge(merges, word)) << word;
    }
  }
}

// Quadratic work would take minutes.
TEST(ByteLevelBpeTest, TakesAMegabyteOfOneLetter) {
  const auto bpe = Create(Options({{"a", "a"}, {"aa", "aa"}}));
  const TokenSequence tokens = Tokenize(*bpe, std::string((1 << 20) + 1, 'a'));
  EXPECT_EQ(tokens.size(), (1u << 18) + 1);
  EXPECT_EQ(tokens.offsets[1], (Span{4, 8}));
}

TEST(ByteLevelBpeTest, DecodesBytesAndReplacesInvalidOnes) {
  const auto bpe = Create(Options({}));
  const auto decode = [&](std::vector<std::string_view> tokens) {
    return bpe->Decode(tokens);
  };
  EXPECT_EQ(decode({"\u0120Hi", "\u010A"}), " Hi\n");
  EXPECT_EQ(decode({"\u00C3", "\u00A9"}), "\u00E9");
  EXPECT_EQ(decode({"\u00C3", "x"}), "\uFFFDx");
  // Not in the alphabet: kept as it is.
  EXPECT_EQ(decode({"a b", "\u4E2D"}), "a b\u4E2D");
}

TEST(ByteLevelBpeTest, RejectsMalformedVocabularies) {
  const auto message = [](const ByteLevelBpeOptions& options) {
    const auto bpe = ByteLevelBpe::Create(options);
    EXPECT_EQ(bpe.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(bpe.status().message());
  };
  EXPECT_THAT(message({}), HasSubstr("at least one token"));
  EXPECT_THAT(message({.vocabulary = {{"a", -1}}}), HasSubstr("id from 0"));
  EXPECT_THAT(message({.vocabulary = {{"a", Vocabulary::kMaxIds}}}),
              HasSubstr("id from 0"));
  EXPECT_THAT(message({.vocabulary = {{"a", 0}, {"a", 1}}}),
              HasSubstr("only once"));
  EXPECT_THAT(message({.vocabulary = {{"a", 0}, {"b", 0}}}),
              HasSubstr("only once"));
  EXPECT_THAT(message({.vocabulary = {{"\xFF", 0}}}), HasSubstr("UTF-8"));
  EXPECT_THAT(message({.vocabulary = {{"a", 0}}, .merges = {{"a", "a"}}}),
              HasSubstr("\"aa\" is not in the vocabulary"));
  EXPECT_THAT(message({.vocabulary = {{"a", 0}}, .merges = {{"b", "a"}}}),
              HasSubstr("\"b\" is not in the vocabulary"));
  EXPECT_THAT(message({.vocabulary = {{"a", 0}}, .unk_token = "u"}),
              HasSubstr("unk_token"));
}

}  // namespace
}  // namespace deberta::tokenizer
