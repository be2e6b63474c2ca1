#include "server/models/model_settings.h"

#include "absl/strings/str_cat.h"
#include "files/regular_file.h"
#include "json/json.h"
#include "server/models/proof_reader.h"

namespace deberta::server {
namespace {

using Json = json::Value;

constexpr char kFileName[] = "deberta.json";
constexpr size_t kMaxBytes = size_t{1} << 20;
constexpr size_t kLongestShown = 60;
constexpr size_t kMostTexts = 1000;
constexpr size_t kMostChoices = 100;
constexpr uint64_t kMostTokens = (uint64_t{1} << 31) - 1;

absl::Status Wrong(const std::string& where, absl::string_view expected,
                   const Json& got) {
  return absl::InvalidArgumentError(
      absl::StrCat(where, ": expected ", expected, ", got ",
                   got.is_string() && got.get_ref<const std::string&>().empty()
                       ? "an empty one"
                       : got.type_name()));
}

// Sets what `parse` makes of a name; its errors say what the name is of.
template <typename T, typename Parse>
absl::Status ReadName(const std::string& key, const Json& value, Parse parse,
                      std::optional<T>* out) {
  if (!value.is_string()) {
    return absl::InvalidArgumentError(
        absl::StrCat(key, ": expected a string, got ", value.type_name()));
  }
  absl::StatusOr<T> parsed =
      parse(value.get<std::string>().substr(0, kLongestShown));
  if (!parsed.ok()) return parsed.status();
  *out = *parsed;
  return absl::OkStatus();
}

absl::Status ReadText(const std::string& where, const Json& value,
                      std::string* out) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty())
    return Wrong(where, "a string that is not empty", value);
  *out = value.get<std::string>();
  return absl::OkStatus();
}

absl::Status ReadChoices(const std::string& where, const Json& value,
                         std::vector<std::string>* choices) {
  if (!value.is_array()) return Wrong(where, "an array of strings", value);
  if (value.empty() || value.size() > kMostChoices) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": expected 1 to ", kMostChoices, " strings, got ",
                     value.size()));
  }
  for (size_t i = 0; i < value.size(); ++i) {
    if (absl::Status s = ReadText(absl::StrCat(where, "[", i, "]"), value[i],
                                  &choices->emplace_back());
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

absl::Status ReadInput(const std::string& where, const Json& value,
                       TextInput* input) {
  if (value.is_string()) return ReadText(where, value, &input->text);
  if (!value.is_object()) return Wrong(where, "a string or an object", value);
  for (auto it = value.begin(); it != value.end(); ++it) {
    const std::string field =
        absl::StrCat(where, ".", it.key().substr(0, kLongestShown));
    absl::Status status = absl::InvalidArgumentError(
        absl::StrCat(field, ": expected text, text_pair or choices"));
    if (it.key() == "text") status = ReadText(field, *it, &input->text);
    if (it.key() == "text_pair")
      status = ReadText(field, *it, &input->text_pair);
    if (it.key() == "choices")
      status = ReadChoices(field, *it, &input->choices);
    if (!status.ok()) return status;
  }
  if (input->text.empty() ||
      (!input->text_pair.empty() && !input->choices.empty())) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, ": expected text, and at most one of text_pair and choices"));
  }
  return absl::OkStatus();
}

absl::Status ReadCalibration(const std::string& key, const Json& value,
                             std::vector<TextInput>* inputs) {
  if (!value.is_array()) return Wrong(key, "an array", value);
  if (value.empty() || value.size() > kMostTexts) {
    return absl::InvalidArgumentError(absl::StrCat(
        key, ": expected 1 to ", kMostTexts, " texts, got ", value.size()));
  }
  for (size_t i = 0; i < value.size(); ++i) {
    if (absl::Status s = ReadInput(absl::StrCat(key, "[", i, "]"), value[i],
                                   &inputs->emplace_back());
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

absl::Status ReadMaxTokens(const std::string& key, const Json& value,
                           ModelSettings* settings) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > kMostTokens) {
    return absl::InvalidArgumentError(
        absl::StrCat(key, ": expected a whole number up to ", kMostTokens,
                     ", got ", json::Shown(value)));
  }
  settings->max_tokens = value.get<size_t>();
  return absl::OkStatus();
}

absl::Status ReadSetting(const std::string& key, const Json& value,
                         ModelSettings* settings) {
  if (key == "fill_mask") {
    return ReadName(key, value, model::ParseFillMaskDecoder,
                    &settings->fill_mask);
  }
  if (key == "tokenizer_profile") {
    return ReadName(key, value, tokenizer::ParseProfile,
                    &settings->tokenizer_profile);
  }
  if (key == "max_tokens") return ReadMaxTokens(key, value, settings);
  if (key == "function") {
    const auto function = ReadScoreFunction(key, value);
    if (!function.ok()) return function.status();
    settings->function = *function;
    return absl::OkStatus();
  }
  if (key == "entailment") return ReadText(key, value, &settings->entailment);
  if (key == "head") {
    absl::StatusOr<HeadDeclaration> head = ReadHeadDeclaration(key, value);
    if (!head.ok()) return head.status();
    settings->head = *std::move(head);
    return absl::OkStatus();
  }
  if (key == "calibration")
    return ReadCalibration(key, value, &settings->calibration);
  if (key == "proofs") return ReadProofs(value, &settings->proofs);
  return absl::InvalidArgumentError(absl::StrCat(
      "expected the keys fill_mask, tokenizer_profile, max_tokens, function, "
      "entailment, head, calibration and proofs, got \"",
      key.substr(0, kLongestShown), "\""));
}

absl::StatusOr<ModelSettings> ParseSettings(const std::string& text) {
  // Of a key given twice, one value would silently lose.
  const absl::StatusOr<Json> object = json::Parse(text, {.unique_keys = true});
  if (!object.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("not valid JSON: ", object.status().message()));
  }
  if (!object->is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a JSON object, got ", object->type_name()));
  }
  ModelSettings settings;
  for (auto it = object->begin(); it != object->end(); ++it) {
    if (absl::Status s = ReadSetting(it.key(), *it, &settings); !s.ok()) {
      return s;
    }
  }
  if (settings.head.has_value() && settings.fill_mask.has_value()) {
    return absl::InvalidArgumentError(
        "fill_mask and head: expected one of them, both say what the model's "
        "head is");
  }
  return settings;
}

}  // namespace

absl::StatusOr<ModelSettings> ReadModelSettings(const std::string& directory) {
  const std::string path = directory + "/" + kFileName;
  const absl::StatusOr<std::string> text = ReadSmallFile(path, kMaxBytes);
  if (absl::IsNotFound(text.status())) return ModelSettings();
  if (!text.ok()) return text.status();
  absl::StatusOr<ModelSettings> settings = ParseSettings(*text);
  if (!settings.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(kFileName, ": ", settings.status().message()));
  }
  return settings;
}

}  // namespace deberta::server
