// The labels of a request as a model over words reads them: tokens that stand
// before those of the text.

#ifndef SERVER_TASKS_LABEL_PROMPT_H_
#define SERVER_TASKS_LABEL_PROMPT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/label_head.h"
#include "tokenizer/tokenizer.h"

namespace deberta::server {

struct EntityLabel {
  std::string name = {};
  std::string description = {};         // what the model reads; "": the name
  std::optional<float> threshold = {};  // none: the request's
};

struct LabelPrompt {
  std::vector<int32_t> ids;
  // Of each label the token that is read, ascending; the last may be behind
  // `ids`.
  std::vector<uint32_t> labels;
};

// An InputError about the labels if there is none, or about one of them that is
// empty, whose name is another's too or is read as another is, or that holds a
// special token, with which the model would read another label's score.
absl::StatusOr<LabelPrompt> MakeLabelPrompt(
    std::span<const EntityLabel> labels, const tokenizer::Tokenizer& tokenizer,
    const model::LabelHead& head);

}  // namespace deberta::server

#endif  // SERVER_TASKS_LABEL_PROMPT_H_
