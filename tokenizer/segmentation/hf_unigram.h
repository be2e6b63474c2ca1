// A Unigram model as Hugging Face's `tokenizers` library runs it, with the
// parts around it: normalise, pre-tokenise (Punctuation, Metaspace), then the
// best segmentation of each word (spec 5.3, profiles hf4 and hf5).

#ifndef TOKENIZER_SEGMENTATION_HF_UNIGRAM_H_
#define TOKENIZER_SEGMENTATION_HF_UNIGRAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/normalization/normalizer.h"
#include "tokenizer/pre_tokenization/metaspace.h"
#include "tokenizer/segmentation/segmenter.h"
#include "tokenizer/segmentation/viterbi.h"
#include "tokenizer/segmentation/word_model.h"
#include "tokenizer/text/byte_trie.h"

namespace deberta::tokenizer {

struct HfUnigramOptions {
  // Piece and log probability; an id is a position in this list.
  std::vector<std::pair<std::string, double>> pieces;
  int32_t unk_id = 0;
  // Unknown runs become <0xNN> pieces where the vocabulary has them all.
  // transformers 4.57 writes false even where spm.model says true.
  bool byte_fallback = false;
  Normalizer normalizer;
  // A Punctuation pre-tokenizer (behaviour Isolated) before Metaspace.
  bool split_by_punct = false;
  Metaspace pre_tokenizer;
  Metaspace decoder;
};

// Immutable.
class HfUnigram : public Segmenter {
 public:
  // InvalidArgument if there are no pieces, `unk_id` is none of them, a piece
  // is not UTF-8 or a score is no finite number.
  static absl::StatusOr<std::unique_ptr<HfUnigram>> Create(
      HfUnigramOptions options);

  NormalizedText Normalize(std::string_view stretch,
                           uint32_t first_code_point) const override;
  void Segment(const NormalizedText& normalized, int32_t* next_word,
               TokenSequence* out) const override;
  std::string Decode(std::span<const std::string_view> tokens) const override;
  std::optional<int32_t> TokenToId(std::string_view token) const override;
  std::string_view IdToToken(int32_t id) const override;
  int32_t vocab_size() const override;
  size_t resident_bytes() const override;

  // Appends the best path through a word; the vectors of `spans` and `word`
  // are parallel. `viterbi` is room for it.
  void SegmentWord(std::string_view word, std::span<const Span> spans,
                   int32_t word_index, Viterbi<double>* viterbi,
                   TokenSequence* out) const;

 private:
  struct Scratch;

  explicit HfUnigram(HfUnigramOptions options);

  // Pre-tokenises [begin, end) of `normalized`, which Punctuation left whole.
  void SegmentStretch(const NormalizedText& normalized, size_t begin,
                      size_t end, Scratch* scratch, int32_t* next_word,
                      TokenSequence* out) const;
  void AppendUnknown(std::string_view text, Span span, int32_t word_index,
                     TokenSequence* out) const;

  const int32_t unk_id_;
  const bool byte_fallback_;
  const bool split_by_punct_;
  const Normalizer normalizer_;
  const Metaspace pre_tokenizer_;
  const Metaspace decoder_;
  const std::string space_;  // pre_tokenizer_.replacement in UTF-8

  // Pieces one after the other; piece i is [begin_[i], begin_[i + 1]).
  std::string text_;
  std::vector<uint32_t> begin_;
  std::vector<double> scores_;
  double unk_score_;  // of a character that no piece covers
  const ByteTrie trie_;
};

// The model alone, for other pre-tokenizers.
class UnigramWords : public WordModel {
 public:
  explicit UnigramWords(std::unique_ptr<const HfUnigram> unigram)
      : unigram_(std::move(unigram)) {}

  void AppendWord(std::string_view word, std::span<const Span> spans,
                  int32_t word_index, TokenSequence* out) const override {
    Viterbi<double> viterbi;
    unigram_->SegmentWord(word, spans, word_index, &viterbi, out);
  }
  std::optional<int32_t> TokenToId(std::string_view token) const override {
    return unigram_->TokenToId(token);
  }
  std::string_view IdToToken(int32_t id) const override {
    return unigram_->IdToToken(id);
  }
  int32_t vocab_size() const override { return unigram_->vocab_size(); }
  int32_t entries() const override { return unigram_->vocab_size(); }
  size_t resident_bytes() const override { return unigram_->resident_bytes(); }

 private:
  const std::unique_ptr<const HfUnigram> unigram_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_HF_UNIGRAM_H_
