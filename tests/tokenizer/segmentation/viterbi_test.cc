#include "tokenizer/segmentation/viterbi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deberta::tokenizer {
namespace {

using ::testing::ElementsAre;

constexpr int32_t kUnknown = 0;

// A model whose piece 0 is unknown text.
template <typename Score>
struct Vocabulary {
  explicit Vocabulary(
      const std::vector<std::pair<std::string, double>>& pieces) {
    texts.emplace_back();
    scores.push_back(0);
    for (const auto& [text, score] : pieces) {
      texts.push_back(text);
      scores.push_back(static_cast<Score>(score));
    }
    trie.emplace(std::vector<std::string_view>(texts.begin(), texts.end()));
  }

  UnigramScores<Score> Model(bool fuses_unknown) const {
    return {.trie = *trie,
            .scores = scores,
            .unk_id = kUnknown,
            .unk_score = -30,
            .fuses_unknown = fuses_unknown};
  }

  std::vector<std::string> texts;
  std::vector<Score> scores;
  std::optional<ByteTrie> trie;
};

template <typename Score>
std::vector<std::string> Segment(const Vocabulary<Score>& vocabulary,
                                 std::string_view text, bool fuses_unknown) {
  Viterbi<Score> viterbi;
  std::vector<std::string> pieces;
  for (const auto& piece :
       viterbi.Segment(vocabulary.Model(fuses_unknown), text)) {
    pieces.emplace(pieces.begin(),
                   text.substr(piece.begin, piece.end - piece.begin));
  }
  return pieces;
}

// Every segmentation of a text, tried one by one.
class Trial {
 public:
  Trial(const Vocabulary<double>& vocabulary, std::string_view text)
      : vocabulary_(vocabulary), text_(text) {
    Extend(0, 0, {});
  }

  const std::vector<std::string>& best() const { return best_; }

 private:
  void Extend(size_t begin, double score, std::vector<std::string> pieces) {
    if (begin == text_.size()) {
      Offer(score, pieces);
      return;
    }
    const size_t character = Utf8Length(text_[begin]);
    for (size_t size = character; begin + size <= text_.size(); ++size) {
      const std::string piece(text_.substr(begin, size));
      const int32_t id = vocabulary_.trie->Find(piece);
      const bool unknown = id == ByteTrie::kNoId && size == character;
      if (id == ByteTrie::kNoId && !unknown) continue;
      std::vector<std::string> longer = pieces;
      longer.push_back(piece);
      Extend(begin + size,
             score + (unknown ? vocabulary_.Model(false).unk_score
                              : vocabulary_.scores[static_cast<size_t>(id)]),
             std::move(longer));
    }
  }

  // Of equal scores: the longest last piece, then the longest before it, ...
  void Offer(double score, const std::vector<std::string>& pieces) {
    std::vector<size_t> sizes;
    for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
      sizes.push_back(piece->size());
    }
    if (!best_.empty() && (score < best_score_ ||
                           (score == best_score_ && sizes < best_sizes_))) {
      return;
    }
    best_ = pieces;
    best_score_ = score;
    best_sizes_ = std::move(sizes);
  }

  const Vocabulary<double>& vocabulary_;
  const std::string_view text_;
  std::vector<std::string> best_;
  double best_score_ = 0;
  std::vector<size_t> best_sizes_;
};

std::string RandomText(int most, std::mt19937* random) {
  static constexpr std::string_view kCharacters[] = {"a", "b", "\u00e9"};
  std::string text;
  const int count = std::uniform_int_distribution<>(1, most)(*random);
  for (int i = 0; i < count; ++i) text += kCharacters[(*random)() % 3];
  return text;
}

// Scores are small multiples of 1/4: sums are exact in both types, and many are
// equal.
TEST(ViterbiTest, FindsWhatTryingAllFinds) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<std::pair<std::string, double>> pieces;
    for (int i = 0; i < 8; ++i) {
      pieces.emplace_back(RandomText(3, &random),
                          -0.25 * static_cast<double>(random() % 12));
    }
    const Vocabulary<double> doubles(pieces);
    const Vocabulary<float> floats(pieces);
    const std::string text = RandomText(8, &random);
    const std::vector<std::string> expected = Trial(doubles, text).best();
    EXPECT_EQ(Segment(doubles, text, false), expected) << text;
    EXPECT_EQ(Segment(floats, text, false), expected) << text;
  }
}

TEST(ViterbiTest, SumsInTheTypeOfTheScores) {
  const std::vector<std::pair<std::string, double>> pieces = {
      {"a", -1}, {"b", -1e-9}, {"ab", -1 - 2e-9}};
  EXPECT_THAT(Segment(Vocabulary<double>(pieces), "ab", false),
              ElementsAre("a", "b"));
  // Both are -1 here.
  EXPECT_THAT(Segment(Vocabulary<float>(pieces), "ab", false),
              ElementsAre("ab"));
}

TEST(ViterbiTest, FusesUnknownCharactersOnRequest) {
  const Vocabulary<double> vocabulary({{"a", -1}});
  EXPECT_THAT(Segment(vocabulary, "xya\u00e9z", true),
              ElementsAre("xy", "a", "\u00e9z"));
  EXPECT_THAT(Segment(vocabulary, "xya\u00e9z", false),
              ElementsAre("x", "y", "a", "\u00e9", "z"));
}

TEST(ViterbiTest, MakesNoPieceOfNoText) {
  EXPECT_THAT(Segment(Vocabulary<float>({{"a", -1}}), "", true), ElementsAre());
}

}  // namespace
}  // namespace deberta::tokenizer
