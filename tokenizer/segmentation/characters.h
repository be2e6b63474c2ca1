// transformers' CharacterTokenizer, of Japanese models: the characters of a
// word's NFKC, each a token, those that the vocabulary lacks the unknown one.

#ifndef TOKENIZER_SEGMENTATION_CHARACTERS_H_
#define TOKENIZER_SEGMENTATION_CHARACTERS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "tokenizer/segmentation/vocabulary.h"
#include "tokenizer/segmentation/word_model.h"

namespace deberta::tokenizer {

class Characters : public WordModel {
 public:
  // InvalidArgument as Vocabulary::Create() has it, and if `unk_token` is not
  // in the vocabulary.
  static absl::StatusOr<std::unique_ptr<Characters>> Create(
      std::span<const std::pair<std::string, int32_t>> vocabulary,
      std::string_view unk_token);

  void AppendWord(std::string_view word, std::span<const Span> spans,
                  int32_t word_index, TokenSequence* out) const override;
  std::optional<int32_t> TokenToId(std::string_view token) const override {
    return vocabulary_.TokenToId(token);
  }
  std::string_view IdToToken(int32_t id) const override {
    return vocabulary_.IdToToken(id);
  }
  int32_t vocab_size() const override { return vocabulary_.size(); }
  int32_t entries() const override { return vocabulary_.entries(); }
  size_t resident_bytes() const override {
    return vocabulary_.resident_bytes();
  }

 private:
  Characters(Vocabulary vocabulary, int32_t unk_id)
      : vocabulary_(std::move(vocabulary)), unk_id_(unk_id) {}

  const Vocabulary vocabulary_;
  const int32_t unk_id_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_CHARACTERS_H_
