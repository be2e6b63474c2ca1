// What a model's directory and the flags say of its tasks, beside its weights
// and its tokenizer.

#ifndef SERVER_MODELS_TASK_SETTINGS_H_
#define SERVER_MODELS_TASK_SETTINGS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "model/model.h"
#include "server/models/load_options.h"
#include "server/models/model_settings.h"
#include "server/models/sentence_modules.h"
#include "server/tasks/shared/head_outputs.h"
#include "server/tasks/shared/text_vectors.h"

namespace deberta::server {

struct TaskSettings {
  std::optional<size_t> max_tokens = {};  // see MaxTokens()
  std::optional<ScoreFunction> function = {};
  std::optional<size_t> entailment = {};  // column
  std::optional<int32_t> marker = {};
  // Null where there are none.
  std::unique_ptr<const HeadOutputs> outputs = nullptr;
  std::unique_ptr<const TextVectors> vectors = nullptr;
};

// InvalidArgument where what is said does not fit `model`; see CheckMaxTokens
// for others.
absl::StatusOr<TaskSettings> MakeTaskSettings(const ModelSettings& settings,
                                              const SentenceModules& modules,
                                              const LoadOptions& options,
                                              const model::Model& model);

}  // namespace deberta::server

#endif  // SERVER_MODELS_TASK_SETTINGS_H_
