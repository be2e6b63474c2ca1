#include "server/tasks/label_prompt.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "server/tasks/shared/request_checks.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {
namespace {

using tokenizer::Tokenizer;
using tokenizer::TokenSequence;

// All labels with their descriptions: each window of each text repeats them.
constexpr size_t kMaxPromptBytes = size_t{1} << 20;

std::string Field(size_t index, const std::string& member) {
  return absl::StrCat("labels[", index, "].", member);
}

// The special token that a text holds; unknown characters are none.
std::optional<int32_t> SpecialIn(const Tokenizer& tokenizer,
                                 const TokenSequence& tokens) {
  for (const int32_t id : tokens.ids) {
    if (tokenizer.IsSpecial(id) && id != tokenizer.special_ids().unk) return id;
  }
  return std::nullopt;
}

// The tokens of a part of a label, which must hold no special one.
absl::StatusOr<TokenSequence> Tokens(const Tokenizer& tokenizer,
                                     std::string_view text,
                                     std::string_view field) {
  absl::StatusOr<TokenSequence> tokens = TokenizeField(tokenizer, text, field);
  if (!tokens.ok()) return tokens.status();
  if (const auto special = SpecialIn(tokenizer, *tokens)) {
    return InputError(
        field, absl::StrCat("must not hold a special token of the model, ",
                            std::string(tokenizer.IdToToken(*special))));
  }
  return tokens;
}

absl::Status CheckLabels(std::span<const EntityLabel> labels) {
  if (labels.empty()) {
    return InputError("labels",
                      "the list is empty, expected at least one label");
  }
  absl::flat_hash_map<std::string_view, size_t> seen;
  size_t bytes = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].name.empty()) {
      return InputError(Field(i, "name"), "must not be empty");
    }
    const auto [first, is_new] = seen.emplace(labels[i].name, i);
    if (!is_new) {
      return InputError(Field(i, "name"), absl::StrCat("is that of labels[",
                                                       first->second, "] too"));
    }
    bytes += labels[i].name.size() + labels[i].description.size();
  }
  if (bytes > kMaxPromptBytes) {
    return InputError(
        "labels", absl::StrCat("take ", bytes, " bytes together, the limit is ",
                               kMaxPromptBytes));
  }
  return absl::OkStatus();
}

// As the reference reads it.
absl::StatusOr<TokenSequence> LabelTokens(const Tokenizer& tokenizer,
                                          const EntityLabel& label,
                                          size_t index) {
  absl::StatusOr<TokenSequence> name =
      Tokens(tokenizer, label.name, Field(index, "name"));
  if (!name.ok() || label.description.empty()) return name;
  return Tokens(tokenizer, absl::StrCat(label.name, ": ", label.description),
                Field(index, "description"));
}

}  // namespace

absl::StatusOr<LabelPrompt> MakeLabelPrompt(std::span<const EntityLabel> labels,
                                            const Tokenizer& tokenizer,
                                            const model::LabelHead& head) {
  if (absl::Status s = CheckLabels(labels); !s.ok()) return s;
  LabelPrompt prompt;
  for (size_t i = 0; i < labels.size(); ++i) {
    const absl::StatusOr<TokenSequence> tokens =
        LabelTokens(tokenizer, labels[i], i);
    if (!tokens.ok()) return tokens.status();
    prompt.labels.push_back(static_cast<uint32_t>(
        prompt.ids.size() + (head.reads_label_token ? 0 : 1)));
    prompt.ids.push_back(head.label_token_id);
    prompt.ids.insert(prompt.ids.end(), tokens->ids.begin(), tokens->ids.end());
  }
  prompt.ids.push_back(head.separator_token_id);
  return prompt;
}

}  // namespace deberta::server
