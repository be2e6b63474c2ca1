// The family-specific part of a tokenizer: what happens to a stretch of text
// between two added tokens.

#ifndef TOKENIZER_SEGMENTATION_SEGMENTER_H_
#define TOKENIZER_SEGMENTATION_SEGMENTER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tokenizer/encoding/encoding.h"
#include "tokenizer/encoding/word_start.h"
#include "tokenizer/normalization/normalized_text.h"

namespace deberta::tokenizer {

// Implementations: ByteLevelBpe (byte_level_bpe.h), HfUnigram (hf_unigram.h)
// and SentencePieceSegmenter (sentencepiece_segmenter.h).
class Segmenter {
 public:
  virtual ~Segmenter() = default;

  // Normalises one stretch of valid UTF-8. `first_code_point` is the stretch's
  // position in the original text, in code points.
  virtual NormalizedText Normalize(std::string_view stretch,
                                   uint32_t first_code_point) const = 0;

  // Pre-tokenises and tokenises normalised text, appending to `out`. `words`
  // of the appended tokens continue from `*next_word`, which is advanced.
  virtual void Segment(const NormalizedText& normalized, int32_t* next_word,
                       TokenSequence* out) const = 0;

  // Appends the text of consecutive tokens; `tokens` are vocabulary strings in
  // order, added tokens among them as they are.
  virtual std::string Decode(
      std::span<const std::string_view> tokens) const = 0;

  // Vocabulary of the model itself, without added tokens.
  virtual std::optional<int32_t> TokenToId(std::string_view token) const = 0;
  virtual std::string_view IdToToken(int32_t id) const = 0;
  virtual int32_t vocab_size() const = 0;
  virtual size_t resident_bytes() const = 0;

  virtual WordStart word_start() const { return WordStart::kSpace; }
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_SEGMENTER_H_
