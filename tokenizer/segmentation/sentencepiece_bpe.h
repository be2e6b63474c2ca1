// Byte-pair encoding as the SentencePiece library runs it (sentencepiece 0.2.3,
// src/bpe_model.cc): two neighbours are merged if their text is a piece, the
// piece of the best score first, the leftmost of equals. User-defined pieces
// are found before and never merged.

#ifndef TOKENIZER_SEGMENTATION_SENTENCEPIECE_BPE_H_
#define TOKENIZER_SEGMENTATION_SENTENCEPIECE_BPE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "tokenizer/segmentation/bpe_merges.h"
#include "tokenizer/segmentation/found_piece.h"
#include "tokenizer/segmentation/sentencepiece_model.h"
#include "tokenizer/text/byte_trie.h"

namespace deberta::tokenizer {

// Immutable.
class SentencePieceBpe {
 public:
  struct Workspace {
    BpeMerges::Workspace merges;
    std::vector<FoundPiece> pieces;
  };

  // InvalidArgument for unused pieces, which the library takes apart again, and
  // for more than 4,194,304 merges. REQUIRES: pieces are UTF-8.
  static absl::StatusOr<SentencePieceBpe> Create(
      const SentencePieceModel& model);

  // The pieces of `text`, the last one first, until the workspace's next use.
  // With `fuses_unknown`, unknown characters side by side are one. n log n in a
  // word, or in the text if pieces hold spaces. REQUIRES: `text` is UTF-8.
  std::span<const FoundPiece> Segment(std::string_view text, bool fuses_unknown,
                                      Workspace* workspace) const;

  size_t resident_bytes() const;

 private:
  SentencePieceBpe() = default;

  absl::Status AddMerges(const SentencePieceModel& model);
  // Merges the symbols, whose text begins at `begin`, and empties them.
  void FlushSymbols(size_t begin, bool fuses_unknown,
                    Workspace* workspace) const;

  BpeMerges merges_;
  // Of single characters: their piece, or a number of their own above the
  // pieces' for those that are none but parts of pieces.
  absl::flat_hash_map<char32_t, int32_t> characters_;
  std::optional<ByteTrie> user_defined_;  // ids are the pieces'
  int32_t piece_count_ = 0;
  int32_t unk_id_ = 0;
  bool cuts_at_spaces_ = true;  // no merge reaches over the start of a word
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_SENTENCEPIECE_BPE_H_
