#include "model/checkpoint/checkpoint.h"

#include <filesystem>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/safetensors.h"
#include "model/checkpoint/weight_names.h"

namespace deberta::model {
namespace {

constexpr char kWeights[] = "model.safetensors";
constexpr char kIndex[] = "model.safetensors.index.json";
// Far above any that was ever written; JSON is held in memory whole.
constexpr size_t kMaxJsonBytes = size_t{64} << 20;

absl::Status AtFile(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(path, ": ", status.message()));
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

absl::StatusOr<std::string> ReadJsonFile(const std::string& path) {
  const absl::StatusOr<MappedFile> file = MappedFile::Open(path);
  if (!file.ok()) return file.status();
  const std::span<const std::byte> bytes = file->bytes();
  if (bytes.size() > kMaxJsonBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected at most ", kMaxJsonBytes,
                     " bytes of JSON, got ", bytes.size()));
  }
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

absl::Status NoWeights(const std::string& directory) {
  std::string message = absl::StrCat(directory, ": expected ", kWeights, " or ",
                                     kIndex, ", found neither");
  for (const char* other :
       {"pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5"}) {
    if (Exists(absl::StrCat(directory, "/", other))) {
      absl::StrAppend(&message, " (", other, " cannot be read)");
    }
  }
  return absl::NotFoundError(message);
}

}  // namespace

absl::StatusOr<std::set<std::string>> Checkpoint::AddFile(
    const std::string& path) {
  absl::StatusOr<MappedFile> file = MappedFile::Open(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<SafetensorsContents> contents =
      ParseSafetensors(file->bytes());
  if (!contents.ok()) return AtFile(path, contents.status());
  std::set<std::string> names;
  for (auto& [name, tensor] : contents->tensors) {
    const std::string normal = NormalizeWeightName(name);
    if (!tensors_.emplace(normal, std::move(tensor)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": tensor \"", name,
                       "\": a second tensor for the name \"", normal, "\""));
    }
    names.insert(name);
  }
  for (auto& [name, type] : contents->other_types) {
    other_types_.emplace(NormalizeWeightName(name), std::move(type));
    names.insert(name);
  }
  files_.push_back(*std::move(file));
  return names;
}

absl::Status Checkpoint::AddShards() {
  const absl::StatusOr<std::string> json = ReadJsonFile(weights_path_);
  if (!json.ok()) return json.status();
  const auto index = ParseSafetensorsIndex(*json);
  if (!index.ok()) return AtFile(weights_path_, index.status());
  std::map<std::string, std::set<std::string>> held;  // names by shard
  for (const auto& [name, shard] : *index) {
    if (!held.contains(shard)) {
      auto names = AddFile(absl::StrCat(directory_, "/", shard));
      if (!names.ok()) return names.status();
      held.emplace(shard, *std::move(names));
    }
    if (!held[shard].contains(name)) {
      return absl::InvalidArgumentError(
          absl::StrCat(weights_path_, ": weight_map: tensor \"", name,
                       "\" is not in ", shard));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<const Checkpoint>> Checkpoint::Open(
    const std::string& directory) {
  if (!Exists(directory)) {
    return absl::NotFoundError(
        absl::StrCat(directory, ": no such model directory"));
  }
  auto checkpoint = std::unique_ptr<Checkpoint>(new Checkpoint());
  checkpoint->directory_ = directory;

  const std::string config_path = absl::StrCat(directory, "/config.json");
  const absl::StatusOr<std::string> json = ReadJsonFile(config_path);
  if (!json.ok()) return json.status();
  absl::StatusOr<Config> config = ParseConfig(*json);
  if (!config.ok()) return AtFile(config_path, config.status());
  checkpoint->config_ = *std::move(config);

  const std::string single = absl::StrCat(directory, "/", kWeights);
  const std::string index = absl::StrCat(directory, "/", kIndex);
  absl::Status status;
  if (Exists(single)) {
    checkpoint->weights_path_ = single;
    status = checkpoint->AddFile(single).status();
  } else if (Exists(index)) {
    checkpoint->weights_path_ = index;
    status = checkpoint->AddShards();
  } else {
    status = NoWeights(directory);
  }
  if (!status.ok()) return status;
  return checkpoint;
}

const TensorView* Checkpoint::Find(std::string_view name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second;
}

uint64_t Checkpoint::weights_bytes() const {
  uint64_t bytes = 0;
  for (const MappedFile& file : files_) bytes += file.bytes().size();
  return bytes;
}

void Checkpoint::Release(const TensorView& tensor) const {
  for (const MappedFile& file : files_) {
    const std::byte* start = file.bytes().data();
    const std::less_equal<const std::byte*> not_after;
    if (not_after(start, tensor.bytes.data()) &&
        not_after(tensor.bytes.data() + tensor.bytes.size(),
                  start + file.bytes().size())) {
      return file.Release(tensor.bytes);
    }
  }
}

}  // namespace deberta::model
