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

// All labels with their descriptions.
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

// What the model reads of a label, and the field that has it.
std::string_view Prompt(const EntityLabel& label) {
  return label.description.empty() ? label.name : label.description;
}

std::string PromptField(std::span<const EntityLabel> labels, size_t index) {
  return Field(index,
               labels[index].description.empty() ? "name" : "description");
}

absl::Status CheckLabels(std::span<const EntityLabel> labels) {
  if (absl::Status s = CheckLabelNames(labels); !s.ok()) return s;
  absl::flat_hash_map<std::string_view, size_t> prompts;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto [prompt, is_read] = prompts.emplace(Prompt(labels[i]), i);
    if (!is_read) {
      return InputError(PromptField(labels, i),
                        absl::StrCat("is what the model reads of labels[",
                                     prompt->second, "] too"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckLabelNames(std::span<const EntityLabel> labels) {
  if (labels.empty()) {
    return InputError("labels",
                      "the list is empty, expected at least one label");
  }
  absl::flat_hash_map<std::string_view, size_t> names;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].name.empty()) {
      return InputError(Field(i, "name"), "must not be empty");
    }
    const auto [name, is_new] = names.emplace(labels[i].name, i);
    if (!is_new) {
      return InputError(Field(i, "name"), absl::StrCat("is that of labels[",
                                                       name->second, "] too"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPromptBytes(size_t bytes, std::string_view field) {
  if (bytes <= kMaxPromptBytes) return absl::OkStatus();
  return InputError(
      field, absl::StrCat("take ", bytes, " bytes together, the limit is ",
                          kMaxPromptBytes));
}

absl::StatusOr<TokenSequence> TokenizePlain(const Tokenizer& tokenizer,
                                            std::string_view text,
                                            std::string_view field) {
  absl::StatusOr<TokenSequence> tokens = TokenizeField(tokenizer, text, field);
  if (!tokens.ok()) return tokens;
  if (const auto special = SpecialIn(tokenizer, *tokens)) {
    return InputError(
        field, absl::StrCat("must not hold a special token of the model, ",
                            std::string(tokenizer.IdToToken(*special))));
  }
  return tokens;
}

absl::StatusOr<LabelPrompt> MakePrompt(std::span<const LabelText> labels,
                                       const Tokenizer& tokenizer,
                                       const model::LabelHead& head) {
  size_t bytes = 0;
  for (const LabelText& label : labels) bytes += label.text.size();
  if (absl::Status s = CheckPromptBytes(bytes, "labels"); !s.ok()) return s;
  LabelPrompt prompt;
  for (const LabelText& label : labels) {
    const absl::StatusOr<TokenSequence> tokens =
        TokenizePlain(tokenizer, label.text, label.field);
    if (!tokens.ok()) return tokens.status();
    prompt.labels.push_back(static_cast<uint32_t>(
        prompt.ids.size() + (head.reads_label_token ? 0 : 1)));
    prompt.ids.push_back(head.label_token_id);
    prompt.ids.insert(prompt.ids.end(), tokens->ids.begin(), tokens->ids.end());
  }
  const absl::StatusOr<TokenSequence> separator =
      tokenizer.Tokenize(head.separator_token);
  if (!separator.ok()) return separator.status();
  prompt.ids.insert(prompt.ids.end(), separator->ids.begin(),
                    separator->ids.end());
  return prompt;
}

absl::StatusOr<LabelPrompt> MakeLabelPrompt(std::span<const EntityLabel> labels,
                                            const Tokenizer& tokenizer,
                                            const model::LabelHead& head) {
  if (absl::Status s = CheckLabels(labels); !s.ok()) return s;
  std::vector<LabelText> texts;
  for (size_t i = 0; i < labels.size(); ++i)
    texts.push_back({Prompt(labels[i]), PromptField(labels, i)});
  return MakePrompt(texts, tokenizer, head);
}

}  // namespace deberta::server
