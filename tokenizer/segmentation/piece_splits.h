// The ways in which pieces are made of two other pieces: the merges of a
// SentencePiece BPE model, whose file does not name them.

#ifndef TOKENIZER_SEGMENTATION_PIECE_SPLITS_H_
#define TOKENIZER_SEGMENTATION_PIECE_SPLITS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tokenizer/text/byte_trie.h"

namespace deberta::tokenizer {

class PieceSplits {
 public:
  // More merges than this have no model's vocabulary.
  static constexpr size_t kMaxMerges = size_t{1} << 22;

  struct Split {
    int32_t left;  // positions in `pieces`
    int32_t right;
    uint32_t left_bytes;
  };

  // Empty pieces are no part of others.
  explicit PieceSplits(std::span<const std::string_view> pieces);

  // The left piece growing; until the next call. Linear in `piece`.
  std::span<const Split> Of(std::string_view piece);

 private:
  const ByteTrie prefixes_;
  const ByteTrie suffixes_;  // from their ends
  std::vector<int32_t> suffix_ids_;
  std::vector<Split> splits_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_PIECE_SPLITS_H_
