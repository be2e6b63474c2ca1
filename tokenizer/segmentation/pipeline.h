// A tokenizer put together of any normalizer, pre-tokenizer, model and decoder,
// as a tokenizer.json names them.

#ifndef TOKENIZER_SEGMENTATION_PIPELINE_H_
#define TOKENIZER_SEGMENTATION_PIPELINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "tokenizer/normalization/normalizer.h"
#include "tokenizer/pre_tokenization/pre_tokenizer.h"
#include "tokenizer/segmentation/decoder.h"
#include "tokenizer/segmentation/segmenter.h"
#include "tokenizer/segmentation/word_model.h"

namespace deberta::tokenizer {

// Immutable.
class Pipeline : public Segmenter {
 public:
  // `in_python`: the reference's runs there.
  Pipeline(Normalizer normalizer, PreTokenizer pre_tokenizer,
           std::unique_ptr<const WordModel> model, Decoder decoder,
           bool in_python = false)
      : normalizer_(std::move(normalizer)),
        pre_tokenizer_(std::move(pre_tokenizer)),
        model_(std::move(model)),
        decoder_(std::move(decoder)),
        in_python_(in_python) {}

  NormalizedText Normalize(std::string_view stretch,
                           uint32_t first_code_point) const override {
    return normalizer_.Normalize(stretch, first_code_point);
  }
  void Segment(const NormalizedText& normalized, int32_t* next_word,
               TokenSequence* out) const override;
  std::string Decode(std::span<const std::string_view> tokens) const override {
    return decoder_.Decode(tokens);
  }
  std::optional<int32_t> TokenToId(std::string_view token) const override {
    return model_->TokenToId(token);
  }
  std::string_view IdToToken(int32_t id) const override {
    return model_->IdToToken(id);
  }
  int32_t vocab_size() const override { return model_->vocab_size(); }
  size_t resident_bytes() const override {
    return model_->resident_bytes() + normalizer_.resident_bytes() +
           pre_tokenizer_.resident_bytes();
  }
  WordStart word_start() const override {
    if (in_python_) return WordStart::kEvery;
    return model_->marks_continuations() ? WordStart::kUnmarked
                                         : WordStart::kSpace;
  }

 private:
  const Normalizer normalizer_;
  const PreTokenizer pre_tokenizer_;
  const std::unique_ptr<const WordModel> model_;
  const Decoder decoder_;
  const bool in_python_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_PIPELINE_H_
