// The labels of a request as a model over words reads them: tokens that stand
// before those of the text.

#ifndef SERVER_TASKS_LABEL_PROMPT_H_
#define SERVER_TASKS_LABEL_PROMPT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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

// What the model reads of a label, and the field of the request that has it.
struct LabelText {
  std::string_view text = {};
  std::string field = {};
};

struct LabelPrompt {
  std::vector<int32_t> ids;
  // Of each label the token that is read, ascending; the last may be behind
  // `ids`.
  std::vector<uint32_t> labels;
};

// An InputError about `field` where labels and what is said of them take too
// many bytes together: each window of each text repeats them.
absl::Status CheckPromptBytes(size_t bytes, std::string_view field);

// The labels in turn, each behind its token, and the separator. InputErrors
// where they take too many bytes together, or one holds a special token, with
// which the model would read another label's score.
absl::StatusOr<LabelPrompt> MakePrompt(std::span<const LabelText> labels,
                                       const tokenizer::Tokenizer& tokenizer,
                                       const model::LabelHead& head);

// The tokens of a text of the request; InputErrors about `field` where it holds
// a special token.
absl::StatusOr<tokenizer::TokenSequence> TokenizePlain(
    const tokenizer::Tokenizer& tokenizer, std::string_view text,
    std::string_view field);

// An InputError if there is none, or about one that has no name or another's.
absl::Status CheckLabelNames(std::span<const EntityLabel> labels);

// MakePrompt() of what the model reads of each. Also an InputError if there is
// none, or about one of them that is empty, whose name is another's too or that
// is read as another is.
absl::StatusOr<LabelPrompt> MakeLabelPrompt(
    std::span<const EntityLabel> labels, const tokenizer::Tokenizer& tokenizer,
    const model::LabelHead& head);

}  // namespace deberta::server

#endif  // SERVER_TASKS_LABEL_PROMPT_H_
