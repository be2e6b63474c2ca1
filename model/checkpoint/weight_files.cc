#include "model/checkpoint/weight_files.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace deberta::model {
namespace {

struct FileName {
  const char* name;
  WeightsFormat format;
  bool sharded = false;
};

constexpr FileName kMainFiles[] = {
    {"model.safetensors", WeightsFormat::kSafetensors},
    {"model.safetensors.index.json", WeightsFormat::kSafetensors, true},
    {"pytorch_model.bin", WeightsFormat::kTorch},
    {"pytorch_model.bin.index.json", WeightsFormat::kTorch, true},
    {"tf_model.h5", WeightsFormat::kHdf5},
    {"tf_model.h5.index.json", WeightsFormat::kHdf5, true},
};
constexpr FileName kGeneratorFiles[] = {
    {"model.generator.safetensors", WeightsFormat::kSafetensors},
    {"pytorch_model.generator.bin", WeightsFormat::kTorch},
};

constexpr std::pair<WeightsFormat, std::string_view> kFormatNames[] = {
    {WeightsFormat::kSafetensors, "safetensors"},
    {WeightsFormat::kTorch, "torch"},
    {WeightsFormat::kHdf5, "hdf5"},
};

std::span<const FileName> FileNames(WeightsVariant variant) {
  if (variant == WeightsVariant::kGenerator) return kGeneratorFiles;
  return kMainFiles;
}

std::string Listed(const std::vector<WeightsFormat>& formats) {
  return absl::StrJoin(formats, ",", [](std::string* out, WeightsFormat f) {
    out->append(WeightsFormatName(f));
  });
}

// In the directory, or where optimum and sentence-transformers put it.
bool HasOnnx(const std::string& directory) {
  for (const char* below : {"", "/onnx"}) {
    std::error_code error;
    std::filesystem::directory_iterator entry(directory + below, error);
    const std::filesystem::directory_iterator end;
    while (!error && entry != end) {
      if (entry->path().extension() == ".onnx") return true;
      entry.increment(error);
    }
  }
  return false;
}

}  // namespace

std::string_view WeightsFormatName(WeightsFormat format) {
  for (const auto& [known, name] : kFormatNames) {
    if (known == format) return name;
  }
  return "";
}

std::optional<WeightsFormat> WeightsFormatNamed(std::string_view name) {
  for (const auto& [format, known] : kFormatNames) {
    if (known == name) return format;
  }
  return std::nullopt;
}

const std::vector<WeightsFormat>& AllWeightsFormats() {
  static const std::vector<WeightsFormat>* const kAll =
      new std::vector<WeightsFormat>{WeightsFormat::kSafetensors,
                                     WeightsFormat::kTorch,
                                     WeightsFormat::kHdf5};
  return *kAll;
}

std::string_view ConfigFileName(WeightsVariant variant) {
  return variant == WeightsVariant::kGenerator ? "generator_config.json"
                                               : "config.json";
}

absl::StatusOr<WeightFiles> FindWeightFiles(
    const std::string& directory, WeightsVariant variant,
    const std::vector<WeightsFormat>& allowed) {
  std::vector<std::string> refused;
  std::vector<std::string> expected;
  for (const FileName& file : FileNames(variant)) {
    std::string path = absl::StrCat(directory, "/", file.name);
    const bool may =
        std::find(allowed.begin(), allowed.end(), file.format) != allowed.end();
    if (may) expected.push_back(file.name);
    std::error_code error;
    if (!std::filesystem::exists(path, error)) continue;
    if (may) return WeightFiles{file.format, std::move(path), file.sharded};
    refused.push_back(file.name);
  }
  std::string message = absl::StrCat(directory, ": no weights: expected ",
                                     absl::StrJoin(expected, ", "));
  if (!refused.empty()) {
    absl::StrAppend(&message, "; found ", absl::StrJoin(refused, ", "),
                    ", which --allowed_weights=", Listed(allowed),
                    " does not let be read");
  }
  if (HasOnnx(directory)) {
    absl::StrAppend(&message,
                    "; an ONNX graph, which is there, is not read: fetch the "
                    "weights that it was made from (model.safetensors or "
                    "pytorch_model.bin of the same repository, or of the one "
                    "that its card names)");
  }
  return absl::NotFoundError(message);
}

}  // namespace deberta::model
