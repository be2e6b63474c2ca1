// The most tokens of one sequence that a model is asked.

#ifndef SERVER_MODELS_SEQUENCE_LIMIT_H_
#define SERVER_MODELS_SEQUENCE_LIMIT_H_

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "model/model.h"
#include "server/models/load_options.h"
#include "server/models/model_settings.h"
#include "tokenizer/tokenizer.h"

namespace deberta::server {

// Tokens that Classify can ask of any model: a text, a pair and their template.
inline constexpr size_t kLeastMaxTokens = 8;

// deberta.json's, else the flag's; none if neither says.
std::optional<size_t> WantedMaxTokens(const ModelSettings& settings,
                                      const LoadOptions& options);

// InvalidArgument, with the reason and what to do, if `model` cannot compute
// sequences of so many tokens, or none of them could be queued;
// ResourceExhausted if what computes them would not fit the memory.
absl::Status CheckMaxTokens(const ModelSettings& settings,
                            const LoadOptions& options,
                            const model::Model& model);

// `wanted`; without it the least of the tokenizer's model_max_length,
// max_position_embeddings and Model::longest_sequence().
size_t MaxTokens(std::optional<size_t> wanted,
                 const tokenizer::Tokenizer& tokenizer,
                 const model::Model& model);

}  // namespace deberta::server

#endif  // SERVER_MODELS_SEQUENCE_LIMIT_H_
