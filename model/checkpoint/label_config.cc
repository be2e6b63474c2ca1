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

absl::StatusOr<LabelModel> ReadGliner2(const std::string& directory,
                                       const Json& object,
                                       const std::string& path) {
  const absl::StatusOr<std::string> encoder = ReadSmallFile(
      absl::StrCat(directory, "/", kGliner2EncoderFile), kMaxJsonBytes);
  // Not yet an error: what is refused has its encoder elsewhere.
  absl::StatusOr<Gliner2Model> model =
      ParseGliner2Config(object, encoder.ok() ? *encoder : "{}");
  if (!model.ok()) {
    const bool of_encoder =
        !encoder.ok() && model.status().message().find(kGliner2EncoderFile) !=
                             absl::string_view::npos;
    return of_encoder ? encoder.status() : AtFile(path, model.status());
  }
  if (!encoder.ok()) return encoder.status();
  return LabelModel{.encoder = std::move(model->encoder),
                    .config = std::move(model->gliner2),
                    .encoder_prefix = "encoder."};
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
  const bool is_gliclass = *type == "GLiClass";
  if (!is_gliclass && *type != "extractor") return std::nullopt;
  absl::StatusOr<LabelModel> model =
      is_gliclass ? ReadGliclass(*object, path)
                  : ReadGliner2(directory, *object, path);
  if (!model.ok()) return model.status();
  model->file = file;
  return model;
}

}  // namespace deberta::model
