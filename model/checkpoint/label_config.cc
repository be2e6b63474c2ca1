#include "model/checkpoint/label_config.h"

#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "files/regular_file.h"
#include "model/checkpoint/config_fields.h"
#include "model/checkpoint/weight_files.h"

namespace deberta::model {
namespace {

// Far above any that was ever written; JSON is held in memory whole.
constexpr size_t kMaxJsonBytes = size_t{64} << 20;

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

absl::Status AtFile(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(path, ": ", status.message()));
}

absl::StatusOr<LabelModel> ReadGliner(const std::string& directory,
                                      const std::string& config_path) {
  const std::string path = absl::StrCat(directory, "/", kGlinerConfigFile);
  const absl::StatusOr<std::string> json = ReadSmallFile(path, kMaxJsonBytes);
  if (!json.ok()) return json.status();
  std::string beside;
  if (Exists(config_path)) {
    absl::StatusOr<std::string> read =
        ReadSmallFile(config_path, kMaxJsonBytes);
    if (!read.ok()) return read.status();
    beside = *std::move(read);
  }
  absl::StatusOr<GlinerModel> model = ParseGlinerConfig(*json, beside);
  if (!model.ok()) return AtFile(path, model.status());
  return LabelModel{.encoder = std::move(model->encoder),
                    .config = std::move(model->gliner),
                    .file = kGlinerConfigFile,
                    .encoder_prefix = "token_rep_layer.bert_layer.model."};
}

absl::StatusOr<LabelModel> ReadGliclass(const Json& object,
                                        const std::string& path) {
  absl::StatusOr<GliclassModel> model = ParseGliclassConfig(object);
  if (!model.ok()) return AtFile(path, model.status());
  return LabelModel{.encoder = std::move(model->encoder),
                    .config = std::move(model->gliclass),
                    .encoder_prefix = "model.encoder_model."};
}

}  // namespace

bool IsGliner(const std::string& directory) {
  return Exists(absl::StrCat(directory, "/", kGlinerConfigFile));
}

absl::StatusOr<std::optional<LabelModel>> ReadLabelModel(
    const std::string& directory) {
  const std::string file(ConfigFileName(WeightsVariant::kMain));
  const std::string path = absl::StrCat(directory, "/", file);
  if (IsGliner(directory)) return ReadGliner(directory, path);
  // What is wrong with the file, who reads it for an encoder alone says.
  const absl::StatusOr<std::string> json = ReadSmallFile(path, kMaxJsonBytes);
  if (!json.ok()) return std::nullopt;
  const absl::StatusOr<Json> object = ParseObject(*json);
  if (!object.ok()) return std::nullopt;
  const Json* type = ConfigFields(*object).Find("model_type");
  if (type == nullptr || !type->is_string()) return std::nullopt;
  if (*type == "extractor") {
    return AtFile(path, absl::InvalidArgumentError(
                            "model_type: \"extractor\", which is GLiNER2, is "
                            "not served"));
  }
  if (*type != "GLiClass") return std::nullopt;
  absl::StatusOr<LabelModel> model = ReadGliclass(*object, path);
  if (!model.ok()) return model.status();
  model->file = file;
  return model;
}

}  // namespace deberta::model
