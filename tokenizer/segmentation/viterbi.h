// The best segmentation of a text by a Unigram model: the sequence of pieces
// with the largest sum of scores (Viterbi), as both references find it. They
// differ in the type of the scores alone: `tokenizers` 0.22 (unigram/model.rs,
// encode_optimized) sums in double precision, SentencePiece 0.2.3
// (unigram_model.cc, EncodeOptimized) in single, and so keeps long sums small.

#ifndef TOKENIZER_SEGMENTATION_VITERBI_H_
#define TOKENIZER_SEGMENTATION_VITERBI_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tokenizer/segmentation/found_piece.h"
#include "tokenizer/text/byte_trie.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {

// The longest piece that a model may have: keeps the work for a text linear
// whatever the vocabulary says.
inline constexpr size_t kMaxPieceBytes = 4096;

// What an unknown character costs beyond the worst piece.
inline constexpr int kUnknownPenalty = 10;

template <typename Score>
struct UnigramScores {
  const ByteTrie& trie;           // of the pieces that occur in text
  std::span<const Score> scores;  // by id
  int32_t unk_id;
  Score unk_score;  // of a character that no piece is
  // Whether unknown characters side by side are one piece.
  bool fuses_unknown;
};

// Keeps its buffers from one text to the next.
template <typename Score>
class Viterbi {
 public:
  // The pieces of `text`, the last one first, until the next call. Of equal
  // sums the one wins whose last piece is the longest.
  // REQUIRES: `text` is valid UTF-8.
  std::span<const FoundPiece> Segment(const UnigramScores<Score>& model,
                                      std::string_view text) {
    FindPath(model, text);
    Backtrack(model, text.size());
    return pieces_;
  }

 private:
  static constexpr size_t kUnreached = std::numeric_limits<size_t>::max();
  // SentencePiece's: beyond it single precision would lose the scores.
  static constexpr bool kResets = std::is_same_v<Score, float>;
  static constexpr float kResetThreshold = 100000.0F;

  struct Node {
    Score score;
    size_t start;  // of the last piece; kUnreached without a path
    int32_t id;
  };

  // Fills path_: the best path to each end of a character.
  void FindPath(const UnigramScores<Score>& model, std::string_view text);
  void Backtrack(const UnigramScores<Score>& model, size_t size);
  void MoveTowardsZero(size_t start, size_t frontier);

  std::vector<Node> path_;
  std::vector<FoundPiece> pieces_;
};

template <typename Score>
void Viterbi<Score>::FindPath(const UnigramScores<Score>& model,
                              std::string_view text) {
  path_.assign(text.size() + 1, {0, kUnreached, model.unk_id});
  const ByteTrie& trie = model.trie;
  const Score* const scores = model.scores.data();
  Node* const path = path_.data();
  size_t frontier = 0;  // the last end reached
  for (size_t start = 0; start < text.size();) {
    if constexpr (kResets) MoveTowardsZero(start, frontier);
    const Score reached = path[start].score;
    const auto offer = [&](size_t end, Score score, int32_t id) {
      const Score total = reached + score;
      if constexpr (kResets) frontier = std::max(frontier, end);
      // Only a better path replaces one: the earliest start wins ties.
      Node& node = path[end];
      if (node.start == kUnreached || total > node.score) {
        node = {total, start, id};
      }
    };
    const size_t next = start + Utf8Length(text[start]);
    bool covered = false;  // one piece is exactly this character
    ByteTrie::Node node = ByteTrie::kRoot;
    for (size_t end = start; end < text.size();) {
      node = trie.Child(node, static_cast<unsigned char>(text[end]));
      if (node == ByteTrie::kNone) break;
      ++end;
      const int32_t id = trie.id(node);
      if (id == ByteTrie::kNoId) continue;
      offer(end, scores[id], id);
      covered = covered || end == next;
    }
    if (!covered) offer(next, model.unk_score, model.unk_id);
    start = next;
  }
}

// Long texts: what was reached, before a sum loses its precision.
template <typename Score>
void Viterbi<Score>::MoveTowardsZero(size_t start, size_t frontier) {
  const Score offset = path_[start].score;
  if (std::abs(offset) <= kResetThreshold) return;
  for (size_t i = start; i <= frontier; ++i) {
    if (i == start || path_[i].start != kUnreached) path_[i].score -= offset;
  }
  path_[start].score = 0;
}

template <typename Score>
void Viterbi<Score>::Backtrack(const UnigramScores<Score>& model, size_t size) {
  pieces_.clear();
  for (size_t end = size; end > 0;) {
    const Node& node = path_[end];
    if (node.id == model.unk_id && model.fuses_unknown && !pieces_.empty() &&
        pieces_.back().id == model.unk_id) {
      pieces_.back().begin = node.start;
    } else {
      pieces_.push_back({node.start, end, node.id});
    }
    end = node.start;
  }
}

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_VITERBI_H_
