#include "server/model_settings.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace deberta::server {
namespace {

using Json = nlohmann::json;

constexpr char kFileName[] = "deberta.json";
constexpr std::streamsize kMaxBytes = 1 << 16;
constexpr size_t kLongestShown = 60;

// A flat object whose keys differ, or nothing: of keys given twice one would
// silently lose.
std::optional<Json> ParseFlatObject(const std::string& text) {
  bool valid = true;
  std::set<std::string> keys;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > 1) valid = false;
    if (event == Json::parse_event_t::key) {
      valid = valid && keys.insert(value.get<std::string>()).second;
    }
    return valid;
  };
  Json object = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (!valid || !object.is_object()) return std::nullopt;
  return object;
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
  return absl::InvalidArgumentError(
      absl::StrCat("expected the keys fill_mask and tokenizer_profile, got \"",
                   key.substr(0, kLongestShown), "\""));
}

absl::StatusOr<ModelSettings> ParseSettings(const std::string& text) {
  const std::optional<Json> object = ParseFlatObject(text);
  if (!object.has_value()) {
    return absl::InvalidArgumentError(
        "expected a JSON object of names and strings, each name once");
  }
  ModelSettings settings;
  for (auto it = object->begin(); it != object->end(); ++it) {
    if (absl::Status s = ReadSetting(it.key(), *it, &settings); !s.ok()) {
      return s;
    }
  }
  return settings;
}

}  // namespace

absl::StatusOr<ModelSettings> ReadModelSettings(const std::string& directory) {
  const std::string path = directory + "/" + kFileName;
  std::error_code error;
  const bool exists = std::filesystem::exists(path, error);
  if (!exists && !error) return ModelSettings();
  if (error || !std::filesystem::is_regular_file(path, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat(kFileName, ": expected a file that can be read"));
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<size_t>(kMaxBytes) + 1, '\0');
  file.read(text.data(), kMaxBytes + 1);
  if (file.bad() || !file.is_open() || file.gcount() > kMaxBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(kFileName, ": expected a file of at most ", kMaxBytes,
                     " bytes that can be read"));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  absl::StatusOr<ModelSettings> settings = ParseSettings(text);
  if (!settings.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(kFileName, ": ", settings.status().message()));
  }
  return settings;
}

}  // namespace deberta::server
