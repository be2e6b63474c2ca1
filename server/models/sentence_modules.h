// Directories of sentence-transformers' bi-encoders: modules.json, and the
// modules that it names.

#ifndef SERVER_MODELS_SENTENCE_MODULES_H_
#define SERVER_MODELS_SENTENCE_MODULES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/weight_files.h"
#include "server/tasks/shared/text_vectors.h"

namespace deberta::server {

struct SentenceModules {
  // Of the model's files: the directory itself, or "DIR/0_Transformer".
  std::string network_directory = {};
  // max_seq_length of sentence_bert_config.json.
  std::optional<size_t> max_tokens = {};
  std::optional<TextVectors> vectors = {};
};

// Without modules.json, the directory alone. InvalidArgument names the module,
// or the key, that is none of those known here (Transformer, Pooling, Dense,
// Normalize, Dropout), and says what to do.
absl::StatusOr<SentenceModules> ReadSentenceModules(
    const std::string& directory,
    const std::vector<model::WeightsFormat>& allowed);

// InvalidArgument where the modules are not made for hidden states of this
// width.
absl::Status CheckWidths(const TextVectors& vectors, size_t hidden);

}  // namespace deberta::server

#endif  // SERVER_MODELS_SENTENCE_MODULES_H_
