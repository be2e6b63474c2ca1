#include "tokenizer/segmentation/sentencepiece_model.h"

#include "absl/strings/str_cat.h"

namespace deberta::tokenizer {

absl::Status SentencePieceModel::CheckType() const {
  if (model_type == kUnigramModelType || model_type == kBpeModelType) {
    return absl::OkStatus();
  }
  constexpr int32_t kWordModelType = 3;
  constexpr int32_t kCharModelType = 4;
  return absl::InvalidArgumentError(
      absl::StrCat("trainer_spec.model_type: expected ", kUnigramModelType,
                   " (Unigram) or ", kBpeModelType, " (BPE), got ", model_type,
                   model_type == kWordModelType   ? " (words)"
                   : model_type == kCharModelType ? " (characters)"
                                                  : "",
                   ", which transformers converts no tokenizer of"));
}

}  // namespace deberta::tokenizer
