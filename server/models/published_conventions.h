// What config.json says by conventions of others than transformers: activations
// of sentence-transformers, and heads that are published with code of their own
// that is known here.

#ifndef SERVER_MODELS_PUBLISHED_CONVENTIONS_H_
#define SERVER_MODELS_PUBLISHED_CONVENTIONS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "json/json.h"
#include "server/models/model_settings.h"

namespace deberta::server {

// The head that a known publisher's configuration stands for, as deberta.json
// would declare it; null if there is none. What is recognised:
//   fc_dropout                     `fc` on the first position (NeMo Curator)
//   target_sizes and weights_map   eight outputs on the mean, and their sum
//                                  (prompt-task-and-complexity-classifier)
//   DesklibAIDetectionModel        `classifier` on the mean, a sigmoid
json::Value KnownHead(const json::Value& config);

// Sets what `settings` leaves open from `directory`/config.json: the head, and
// the function of scores (sentence_transformers.activation_fn,
// sbert_ce_default_activation_function). InvalidArgument where that is none
// that is known here, with what to do. A file that is not there, or no JSON,
// says nothing: the model's loading tells.
absl::Status AddPublishedConventions(const std::string& directory,
                                     ModelSettings* settings);

}  // namespace deberta::server

#endif  // SERVER_MODELS_PUBLISHED_CONVENTIONS_H_
