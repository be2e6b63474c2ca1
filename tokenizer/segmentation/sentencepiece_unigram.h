// A Unigram model as the SentencePiece library runs it (sentencepiece 0.2.3,
// src/unigram_model.cc, EncodeOptimized; up to 0.2.1 it rounds otherwise, so
// that a few ties fall otherwise): its own normaliser, the best path
// over the whole stretch with scores summed in single precision, unknown
// characters as bytes; user-defined pieces win, control, unknown and byte
// pieces are never found in text (spec 5.3, profile spm).

#ifndef TOKENIZER_SEGMENTATION_SENTENCEPIECE_UNIGRAM_H_
#define TOKENIZER_SEGMENTATION_SENTENCEPIECE_UNIGRAM_H_

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
#include "tokenizer/segmentation/segmenter.h"
#include "tokenizer/segmentation/sentencepiece_normalizer.h"
#include "tokenizer/segmentation/spm_model.h"
#include "tokenizer/text/byte_trie.h"

namespace deberta::tokenizer {

// What transformers' slow tokenizer does to a text before the library.
struct SpmOptions {
  bool do_lower_case = false;
  bool split_by_punct = false;
};

// Immutable.
class SentencePiece : public Segmenter {
 public:
  // InvalidArgument for empty or repeated pieces, for not exactly one unknown
  // piece, for byte pieces that do not go with byte_fallback, for a model that
  // is no Unigram model or has a piece of more than 4,096 bytes or a
  // denormalizer.
  static absl::StatusOr<std::unique_ptr<SentencePiece>> Create(
      SpmModel model, const SpmOptions& options);

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

  SentencePiece(SpmModel model, const SpmOptions& options,
                SpmNormalizer normalizer);
  absl::Status AddPieces();

  // Encodes [begin, end) of `source`, as one call of the library does.
  void SegmentPart(const NormalizedText& source, size_t begin, size_t end,
                   Scratch* scratch, int32_t* next_word,
                   TokenSequence* out) const;
  // Fills scratch->path: the best path to each end of a character.
  void FindPath(std::string_view text, Scratch* scratch) const;
  // Fills scratch->pieces from scratch->path.
  void Backtrack(size_t size, Scratch* scratch) const;
  void AppendPieces(const NormalizedText& source, size_t begin,
                    const Scratch& scratch, int32_t* next_word,
                    TokenSequence* out) const;
  void KeepPrecise(size_t start, size_t frontier, Scratch* scratch) const;
  int32_t LookUp(std::string_view piece) const;

  const SpmModel model_;
  const bool split_by_punct_;
  const Normalizer lowercase_;
  const SpmNormalizer normalizer_;
  Ids ids_;       // of pieces that occur in text
  Ids reserved_;  // of control, unknown and byte pieces
  std::array<int32_t, 256> byte_ids_{};
  int32_t unk_id_ = 0;
  float unk_score_ = 0;
  std::vector<float> scores_;  // by id
  std::optional<PieceTrie> trie_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_SENTENCEPIECE_UNIGRAM_H_
