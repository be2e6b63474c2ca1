#include "server/models/label_tokenizer.h"

#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/label_config.h"

namespace deberta::server {
namespace {

// Null unless the directory is that of a GLiNER.
absl::StatusOr<std::optional<model::GlinerConfig>> GlinerOf(
    const ModelSource& source) {
  if (source.variant != model::WeightsVariant::kMain ||
      !model::IsGliner(source.directory)) {
    return std::nullopt;
  }
  auto model = model::ReadLabelModel(source.directory);
  if (!model.ok()) return model.status();
  return std::get<model::GlinerConfig>((*model)->config);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> LabelSpecialTokens(
    const ModelSource& source) {
  auto gliner = GlinerOf(source);
  if (!gliner.ok()) return gliner.status();
  if (!gliner->has_value()) return std::vector<std::string>();
  return std::move((*gliner)->special_tokens);
}

absl::Status WithLabelTokenizerHint(const ModelSource& source,
                                    const absl::Status& status) {
  if (!absl::IsNotFound(status)) return status;
  const auto gliner = GlinerOf(source);
  if (!gliner.ok() || !gliner->has_value()) return status;
  return absl::NotFoundError(absl::StrCat(
      status.message(),
      "; the package downloads the one of gliner_config.json's model_name: put "
      "the tokenizer files of ",
      (*gliner)->encoder_name,
      " (tokenizer_config.json and tokenizer.json or spm.model, but no "
      "config.json of another model) into the directory"));
}

absl::Status CheckPromptTokens(const tokenizer::Tokenizer& tokenizer,
                               const model::LabelHead* head,
                               const model::Config& config) {
  if (head == nullptr) return absl::OkStatus();
  const auto check = [&](const std::string& token,
                         int32_t wanted) -> absl::Status {
    const std::optional<int32_t> id = tokenizer.TokenToId(token);
    if (id.has_value() && *id < config.vocab_size &&
        (wanted < 0 || id == wanted)) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "the tokenizer's id of the token \"", token, "\" is ",
        id.has_value() ? absl::StrCat(*id) : std::string("none"),
        ", but the model ",
        wanted < 0 ? absl::StrCat("has ids up to ", config.vocab_size - 1)
                   : absl::StrCat("looks for ", wanted),
        ": the two are not of the same model"));
  };
  absl::Status status = absl::OkStatus();
  if (!head->label_token.empty())
    status.Update(check(head->label_token, head->label_token_id));
  if (head->separator_token_id >= 0)
    status.Update(check(head->separator_token, head->separator_token_id));
  for (const std::string& token : head->prompt_tokens)
    status.Update(check(token, -1));
  return status;
}

}  // namespace deberta::server
