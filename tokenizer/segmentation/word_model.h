// A model that makes tokens of one piece of pre-tokenized text at a time.

#ifndef TOKENIZER_SEGMENTATION_WORD_MODEL_H_
#define TOKENIZER_SEGMENTATION_WORD_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tokenizer/encoding/encoding.h"
#include "tokenizer/text/span.h"

namespace deberta::tokenizer {

// Implementations, all immutable: WordPiece (word_piece.h), Bpe (bpe.h) and
// UnigramWords (hf_unigram.h).
class WordModel {
 public:
  virtual ~WordModel() = default;

  // Appends the tokens of `word`, which is not empty and has a span for each
  // byte. Linear in the word, but for a factor that the vocabulary sets, or
  // its logarithm.
  virtual void AppendWord(std::string_view word, std::span<const Span> spans,
                          int32_t word_index, TokenSequence* out) const = 0;

  virtual std::optional<int32_t> TokenToId(std::string_view token) const = 0;
  virtual std::string_view IdToToken(int32_t id) const = 0;
  // One more than the largest id.
  virtual int32_t vocab_size() const = 0;
  // How many tokens there are.
  virtual int32_t entries() const = 0;
  virtual size_t resident_bytes() const = 0;

  // Whether a token that does not begin a word is marked so ("##").
  virtual bool marks_continuations() const { return false; }
};

// A token at the end of `out`.
inline void AppendToken(int32_t id, Span span, int32_t word_index,
                        TokenSequence* out) {
  out->ids.push_back(id);
  out->offsets.push_back(span);
  out->words.push_back(word_index);
}

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_WORD_MODEL_H_
