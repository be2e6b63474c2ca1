#include "tools/convert/convert.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/loaded_file.h"
#include "model/checkpoint/safetensors.h"
#include "tools/convert/bpe_encoder.h"
#include "tools/convert/new_directory.h"

namespace deberta::tools {
namespace {

namespace fs = std::filesystem;

constexpr char kWeights[] = "model.safetensors";
constexpr char kConfig[] = "config.json";
constexpr char kEncoderConfig[] = "encoder_config";  // a directory, of GLiNER2
constexpr char kBpeEncoder[] = "bpe_encoder.bin";
// The files that save_vocabulary and save_pretrained write of a tokenizer, and
// our own settings.
constexpr const char* kCopied[] = {
    "vocab.json",        "merges.txt",
    "spm.model",         "tokenizer.json",
    "added_tokens.json", "tokenizer_config.json",
    "deberta.json",      "special_tokens_map.json",
    "vocab.txt",
};

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

absl::Status AtFile(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(path, ": ", status.message()));
}

absl::Status ConvertVocabulary(const fs::path& source, NewDirectory& target,
                               Conversion& conversion) {
  const std::string path = (source / kBpeEncoder).string();
  const absl::StatusOr<model::LoadedFile> file = model::LoadedFile::Read(path);
  if (!file.ok()) return file.status();
  const absl::StatusOr<BpeFiles> files = ConvertBpeEncoder(file->bytes());
  if (!files.ok()) return AtFile(path, files.status());
  absl::Status status = target.Write("vocab.json", files->vocab_json);
  if (status.ok()) status = target.Write("merges.txt", files->merges_txt);
  conversion.files.emplace("vocab.json", kBpeEncoder);
  conversion.files.emplace("merges.txt", kBpeEncoder);
  return status;
}

// The configuration as it is, but for what TensorFlow's classes do otherwise
// than it says: their convolution has one group, whatever `conv_groups` asks
// for.
absl::Status CopyConfig(const fs::path& source, const std::string& name,
                        const model::Config& served, NewDirectory& target,
                        Conversion& conversion) {
  const std::string path = (source / name).string();
  const absl::StatusOr<model::LoadedFile> file = model::LoadedFile::Read(path);
  if (!file.ok()) return file.status();
  const std::string_view text(
      reinterpret_cast<const char*>(file->bytes().data()),
      file->bytes().size());
  const absl::StatusOr<model::Config> written = model::ParseConfig(text);
  if (!written.ok()) return AtFile(path, written.status());
  std::string& origin = conversion.files[kConfig] = name;
  if (written->conv_groups == served.conv_groups) {
    return target.Write(kConfig, text);
  }
  // ParseConfig has found it to be an object of little depth, but is less
  // strict with numbers.
  auto json = nlohmann::ordered_json::parse(text, nullptr,
                                            /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    return AtFile(path, absl::InvalidArgumentError(
                            "holds NaN, Infinity or another number that is "
                            "not of JSON, and conv_groups is to be changed"));
  }
  json["conv_groups"] = served.conv_groups;
  absl::StrAppend(&origin, ", where conv_groups was ", written->conv_groups);
  return target.Write(kConfig, json.dump(2) + "\n");
}

// What configures a model that reads the caller's labels, as it is: its own
// file, and the encoder's where it has one to itself.
absl::Status CopyLabelConfigs(const fs::path& source, const std::string& own,
                              NewDirectory& target, Conversion& conversion) {
  absl::Status status;
  for (const std::string& name : {own, std::string(kConfig)}) {
    if (!status.ok()) return status;
    if (conversion.files.contains(name) || !Exists(source / name)) continue;
    status = target.Copy((source / name).string(), name);
    conversion.files.emplace(name, name);
  }
  const std::string encoders = absl::StrCat(kEncoderConfig, "/", kConfig);
  if (!status.ok() || !Exists(source / encoders)) return status;
  status = target.MakeDirectory(kEncoderConfig);
  if (status.ok()) status = target.Copy((source / encoders).string(), encoders);
  conversion.files.emplace(encoders, encoders);
  return status;
}

absl::Status CopyFiles(const fs::path& source, NewDirectory& target,
                       Conversion& conversion) {
  absl::Status status;
  for (const char* name : kCopied) {
    if (!status.ok()) return status;
    if (!Exists(source / name)) continue;
    status = target.Copy((source / name).string(), name);
    conversion.files.emplace(name, name);
  }
  if (!status.ok()) return status;
  const bool has_vocabulary = conversion.files.contains("vocab.json") ||
                              conversion.files.contains("tokenizer.json") ||
                              conversion.files.contains("spm.model");
  if (has_vocabulary || !Exists(source / kBpeEncoder)) return status;
  return ConvertVocabulary(source, target, conversion);
}

// The weight files by name: the index and its shards, or the only file.
absl::StatusOr<std::set<std::string>> WeightFileNames(
    const std::string& weights_path) {
  const fs::path path = weights_path;
  std::set<std::string> names = {path.filename().string()};
  if (path.extension() != ".json") return names;
  const absl::StatusOr<model::LoadedFile> file =
      model::LoadedFile::Read(weights_path);
  if (!file.ok()) return file.status();
  const auto index = model::ParseSafetensorsIndex(
      {reinterpret_cast<const char*>(file->bytes().data()),
       file->bytes().size()});
  if (!index.ok()) return AtFile(weights_path, index.status());
  for (const auto& [tensor, shard] : *index) names.insert(shard);
  return names;
}

absl::Status ListLeft(const fs::path& source, const std::string& config,
                      Conversion& conversion) {
  absl::StatusOr<std::set<std::string>> taken =
      WeightFileNames(conversion.weights_path);
  if (!taken.ok()) return taken.status();
  for (const auto& [name, origin] : conversion.files) {
    taken->insert(origin.substr(0, origin.find('/')));
  }
  taken->insert(config);
  std::error_code error;
  for (auto it = fs::directory_iterator(source, error);
       !error && it != fs::directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!taken->contains(name)) conversion.left.push_back(name);
  }
  if (error) return absl::ErrnoToStatus(error.value(), source.string());
  std::sort(conversion.left.begin(), conversion.left.end());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Conversion> Convert(const std::string& source,
                                   const std::string& target,
                                   const model::Checkpoint::Options& options,
                                   model::WriteObserver observer) {
  absl::StatusOr<std::unique_ptr<NewDirectory>> directory =
      NewDirectory::Create(target);
  if (!directory.ok()) return directory.status();
  const absl::StatusOr<std::unique_ptr<const model::Checkpoint>> checkpoint =
      model::Checkpoint::Open(source, options);
  if (!checkpoint.ok()) return checkpoint.status();

  Conversion conversion;
  conversion.weights_path = (*checkpoint)->weights_path();
  conversion.format = (*checkpoint)->weights_format();
  const std::string& config = (*checkpoint)->config_file();
  absl::Status status =
      (*checkpoint)->label_config() == nullptr
          ? CopyConfig(source, config, (*checkpoint)->config(), **directory,
                       conversion)
          : CopyLabelConfigs(source, config, **directory, conversion);
  if (status.ok()) status = CopyFiles(source, **directory, conversion);
  if (status.ok()) status = ListLeft(source, config, conversion);
  if (!status.ok()) return status;

  TensorPlan plan = PlanTensors(**checkpoint);
  status = model::WriteSafetensors(plan.tensors, (*directory)->Path(kWeights),
                                   [&](uint64_t done, uint64_t total) {
                                     conversion.bytes = total;
                                     return observer(done, total);
                                   });
  if (!status.ok()) return status;
  conversion.tensors = std::move(plan.names);
  conversion.skipped = std::move(plan.skipped);
  status = (*directory)->Finish();
  if (!status.ok()) return status;
  return conversion;
}

}  // namespace deberta::tools
