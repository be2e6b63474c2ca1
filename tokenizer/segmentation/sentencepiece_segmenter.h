// A Unigram or BPE model as the SentencePiece library runs it (sentencepiece
// 0.2.3): its own normaliser, then of Unigram (src/unigram_model.cc,
// EncodeOptimized; up to 0.2.1 it rounds otherwise, so that a few ties fall
// otherwise) the best segmentation of the whole stretch with scores summed in
// single precision, of BPE sentencepiece_bpe.h. Unknown characters become
// bytes; user-defined pieces win, control, unknown and byte pieces are never
// found in text (spec 5.3, profile spm).

#ifndef TOKENIZER_SEGMENTATION_SENTENCEPIECE_SEGMENTER_H_
#define TOKENIZER_SEGMENTATION_SENTENCEPIECE_SEGMENTER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "tokenizer/normalization/normalizer.h"
#include "tokenizer/normalization/sentencepiece_normalizer.h"
#include "tokenizer/segmentation/found_piece.h"
#include "tokenizer/segmentation/segmenter.h"
#include "tokenizer/segmentation/sentencepiece_bpe.h"
#include "tokenizer/segmentation/sentencepiece_model.h"
#include "tokenizer/text/byte_trie.h"

namespace deberta::tokenizer {

// What transformers' slow tokenizer does to a text before the library.
struct SpmOptions {
  bool do_lower_case = false;
  bool split_by_punct = false;
};

// Immutable.
class SentencePieceSegmenter : public Segmenter {
 public:
  // InvalidArgument for empty or repeated pieces, for not exactly one unknown
  // piece, for byte pieces that do not go with byte_fallback, for a model that
  // is neither Unigram nor BPE or has a piece of more than 4,096 bytes or a
  // denormalizer, and as SentencePieceBpe::Create() has it.
  static absl::StatusOr<std::unique_ptr<SentencePieceSegmenter>> Create(
      SentencePieceModel model, const SpmOptions& options);

  // Lower case, if asked for. The library's normaliser is part of Segment().
  NormalizedText Normalize(std::string_view stretch,
                           uint32_t first_code_point) const override;
  // Offsets are the library's begin and end: of the bytes of an unknown
  // character only the last covers it. A word starts at every piece that starts
  // with U+2581.
  void Segment(const NormalizedText& normalized, int32_t* next_word,
               TokenSequence* out) const override;
  std::string Decode(std::span<const std::string_view> tokens) const override;
  std::optional<int32_t> TokenToId(std::string_view token) const override;
  std::string_view IdToToken(int32_t id) const override;
  int32_t vocab_size() const override;
  size_t resident_bytes() const override;

 private:
  struct Scratch;
  using Ids = absl::flat_hash_map<absl::string_view, int32_t>;

  SentencePieceSegmenter(SentencePieceModel model, const SpmOptions& options,
                         SentencePieceNormalizer normalizer);
  absl::Status AddPieces();
  absl::Status AddBytePieces();

  std::span<const FoundPiece> FindPieces(std::string_view text,
                                         Scratch* scratch) const;
  // Encodes [begin, end) of `source`, as one call of the library does.
  void SegmentPart(const NormalizedText& source, size_t begin, size_t end,
                   Scratch* scratch, int32_t* next_word,
                   TokenSequence* out) const;
  void AppendPieces(const NormalizedText& source, size_t begin,
                    const SentencePieceNormalizer::Output& normalized,
                    std::span<const FoundPiece> pieces, int32_t* next_word,
                    TokenSequence* out) const;
  int32_t LookUp(std::string_view piece) const;

  const SentencePieceModel model_;
  const bool split_by_punct_;
  const Normalizer lowercase_;
  const SentencePieceNormalizer normalizer_;
  Ids ids_;       // of pieces that occur in text
  Ids reserved_;  // of control, unknown and byte pieces
  std::array<int32_t, 256> byte_ids_{};
  int32_t unk_id_ = 0;
  // Of Unigram.
  float unk_score_ = 0;
  std::vector<float> scores_;  // by id
  std::optional<ByteTrie> trie_;
  // Of BPE.
  std::optional<SentencePieceBpe> bpe_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_SENTENCEPIECE_SEGMENTER_H_
