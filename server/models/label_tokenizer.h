// What a head that reads the caller's labels asks of the tokenizer.

#ifndef SERVER_MODELS_LABEL_TOKENIZER_H_
#define SERVER_MODELS_LABEL_TOKENIZER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/label_head.h"
#include "server/models/model_source.h"
#include "tokenizer/tokenizer.h"

namespace deberta::server {

// The tokens that the tokenizer's files may lack, by the model's configuration.
absl::StatusOr<std::vector<std::string>> LabelSpecialTokens(
    const ModelSource& source);

// `status`, and what to do about it if it is of a GLiNER directory that has no
// tokenizer.
absl::Status WithLabelTokenizerHint(const ModelSource& source,
                                    const absl::Status& status);

// InvalidArgument unless the tokens of prompts are what the head (null: none)
// looks for.
absl::Status CheckPromptTokens(const tokenizer::Tokenizer& tokenizer,
                               const model::LabelHead* head,
                               const model::Config& config);

}  // namespace deberta::server

#endif  // SERVER_MODELS_LABEL_TOKENIZER_H_
