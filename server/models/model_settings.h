// deberta.json beside a model: what its files leave open.
//
//   {"fill_mask": "emd" | "plain" | "legacy",        the decoder of masks
//    "tokenizer_profile": "hf4" | "hf5" | "spm",     before --tokenizer_profile
//    "max_tokens": 4096,                             before --max_tokens
//    "function": "softmax" | "sigmoid" | "none",     Classify's default
//    "entailment": "LABEL_2",                        what zero-shot reads
//    "head": {...},                                  see head_declaration.h
//    "calibration": [                                what precisions are
//      "a text",                                     compared on
//      {"text": "one", "text_pair": "another"},
//      {"text": "a question", "choices": ["an answer", "another"]}],
//    "proofs": [                                     what the model must answer
//      {"task": "classify", "text": "a text",        before it is served
//       "label": "the best label", "score": 0.9, "tolerance": 0.01},
//      {"task": "answer_question", "text": "a context", "question": "which?",
//       "label": "the best answer"}]}
//
// A proof's "task" is classify (also with "text_pair" or "choices"), tag_tokens
// ("label" of the first entity), answer_question, fill_mask ("label": the token
// of the first mask) or zero_shot (with "labels"). "score" may be left out;
// "tolerance" is 0.01 if it is.

#ifndef SERVER_MODELS_MODEL_SETTINGS_H_
#define SERVER_MODELS_MODEL_SETTINGS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/weights/head_weights.h"
#include "server/models/head_declaration.h"
#include "server/models/proof.h"
#include "server/tasks/shared/task.h"
#include "tokenizer/files/profile.h"

namespace deberta::server {

struct ModelSettings {
  std::optional<model::FillMaskDecoder> fill_mask = {};
  std::optional<tokenizer::Profile> tokenizer_profile = {};
  std::optional<size_t> max_tokens = {};
  std::optional<ScoreFunction> function = {};
  std::string entailment = {};  // a label; "": by its name
  std::optional<HeadDeclaration> head = {};
  std::vector<TextInput> calibration = {};  // no text in it is empty
  std::vector<Proof> proofs = {};
};

// Nothing set if `directory` has no such file. InvalidArgument names the file,
// the key, what was expected and what was got: a key or a value that is not
// known is a mistake that would otherwise go unseen.
absl::StatusOr<ModelSettings> ReadModelSettings(const std::string& directory);

}  // namespace deberta::server

#endif  // SERVER_MODELS_MODEL_SETTINGS_H_
