#include "model/checkpoint/checkpoint.h"

#include <filesystem>
#include <functional>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "files/regular_file.h"
#include "model/checkpoint/derived_config.h"
#include "model/checkpoint/safetensors.h"
#include "model/checkpoint/tf_weight_names.h"
#include "model/checkpoint/weight_contents.h"
#include "model/checkpoint/weight_names.h"

namespace deberta::model {
namespace {

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

}  // namespace

absl::Status Checkpoint::ReadConfig(WeightsVariant variant) {
  config_file_ = std::string(ConfigFileName(variant));
  if (variant == WeightsVariant::kMain) {
    absl::StatusOr<std::optional<LabelModel>> model =
        ReadLabelModel(directory_);
    if (!model.ok()) return model.status();
    if (model->has_value()) {
      config_ = std::move((*model)->encoder);
      label_config_ = std::move((*model)->config);
      config_file_ = std::move((*model)->file);
      backbone_prefix_ = std::move((*model)->encoder_prefix);
      return absl::OkStatus();
    }
  }
  const std::string path = absl::StrCat(directory_, "/", config_file_);
  const absl::StatusOr<std::string> json = ReadSmallFile(path, kMaxJsonBytes);
  if (!json.ok()) return json.status();
  if (weight_files_.path.empty() && LacksModelType(*json)) {
    // Until tensors tell.
    return absl::OkStatus();
  }
  absl::StatusOr<Config> config = ParseConfig(
      LacksModelType(*json) ? WithDerivedKeys(*json, tensors_) : *json);
  if (!config.ok()) return AtFile(path, config.status());
  config_ = *std::move(config);
  for (absl::Status* later : {&config_.architecture_error,
                              &config_.pooler_error, &config_.labels_error}) {
    if (later->ok()) continue;
    *later = AtFile(std::string(ConfigFileName(variant)), *later);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::set<std::string>> Checkpoint::AddFile(
    const std::string& path, const ByteObserver& observer) {
  absl::StatusOr<LoadedFile> file = LoadedFile::Read(path, observer);
  if (!file.ok()) return file.status();
  absl::StatusOr<WeightContents> contents =
      ReadWeights(*file, {.format = weight_files_.format,
                          .sharded = weight_files_.sharded,
                          .family = config_.family,
                          .hdf5_reader = {.program = hdf5_reader_}});
  if (!contents.ok()) return contents.status();
  // TensorFlow's convolution has one group, whatever is configured.
  if (contents->tensorflow) config_.conv_groups = 1;
  std::set<std::string> names;
  for (auto& [name, tensor] : contents->tensors) {
    const auto found = contents->source_names.find(name);
    const std::string& source =
        found == contents->source_names.end() ? name : found->second;
    const std::string normal = NormalizeWeightName(name, backbone_prefix_);
    if (!tensors_.emplace(normal, std::move(tensor)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": tensor \"", source,
                       "\": a second tensor for the name \"", normal, "\""));
    }
    source_names_.emplace(normal, source);
    names.insert(source);
  }
  for (const auto& [name, type] : contents->other_types) {
    other_types_.emplace(NormalizeWeightName(name, backbone_prefix_), type);
  }
  for (const auto& [name, why] : contents->skipped) {
    skipped_.emplace(name, why);
    names.insert(name);
  }
  for (auto& buffer : contents->buffers) buffers_.push_back(std::move(buffer));
  files_.push_back(*std::move(file));
  return names;
}

absl::Status Checkpoint::AddShards(const ByteObserver& index_observer) {
  const std::string& index_path = weight_files_.path;
  const absl::StatusOr<std::string> json =
      ReadSmallFile(index_path, kMaxJsonBytes);
  if (!json.ok()) return json.status();
  if (index_observer) index_observer(std::as_bytes(std::span(*json)));
  const auto index = ParseSafetensorsIndex(*json);
  if (!index.ok()) return AtFile(index_path, index.status());
  std::map<std::string, std::set<std::string>> held;  // names by shard
  for (const auto& [name, shard] : *index) {
    if (!held.contains(shard)) {
      auto names = AddFile(absl::StrCat(directory_, "/", shard), nullptr);
      if (!names.ok()) return names.status();
      held.emplace(shard, *std::move(names));
    }
    // Indices of TensorFlow's shards have names that the shards shorten.
    const std::set<std::string>& names = held[shard];
    if (!names.contains(name) &&
        !names.contains(std::string(WithoutTfModelName(name)))) {
      return absl::InvalidArgumentError(absl::StrCat(
          index_path, ": weight_map: tensor \"", name, "\" is not in ", shard));
    }
  }
  return absl::OkStatus();
}

// A discriminator that was trained beside a generator (v3) holds what it adds
// to the generator's embeddings as `._weight`, and the sum as `.weight`; some
// exports left the sum out, and transformers then makes up random embeddings.
absl::Status Checkpoint::CheckEmbeddings() const {
  for (const auto& [name, tensor] : tensors_) {
    if (!name.ends_with(kAddedWeight)) continue;
    const std::string sum = SumOfAddedWeight(name);
    if (tensors_.contains(sum)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        weight_files_.path, ": tensor \"", source_names_.find(name)->second,
        "\" is only what training added to another model's embeddings; \"", sum,
        "\", the embeddings themselves, is not there"));
  }
  return absl::OkStatus();
}

// Tokens are added to the encoder's, and rows without one cut off: how many are
// left a configuration may tell, but rarely the encoder's does.
void Checkpoint::CountVocabulary() {
  const TensorView* words = Find("embeddings.word_embeddings.weight");
  if (!label_config_.has_value() || words == nullptr || words->shape.empty()) {
    return;
  }
  config_.vocab_size = words->shape[0];
  auto* gliner = std::get_if<GlinerConfig>(&*label_config_);
  if (gliner == nullptr || gliner->head.label_token_id >= 0) return;
  // The last but one, whichever token that is.
  gliner->head.label_token_id = static_cast<int32_t>(words->shape[0] - 2);
}

absl::StatusOr<std::unique_ptr<const Checkpoint>> Checkpoint::Open(
    const std::string& directory, const Options& options) {
  if (!Exists(directory)) {
    return absl::NotFoundError(
        absl::StrCat(directory, ": no such model directory"));
  }
  auto checkpoint = std::unique_ptr<Checkpoint>(new Checkpoint());
  checkpoint->directory_ = directory;
  checkpoint->hdf5_reader_ = options.hdf5_reader;
  checkpoint->backbone_prefix_ = options.backbone_prefix;
  absl::Status status = checkpoint->ReadConfig(options.variant);
  if (!status.ok()) return status;
  absl::StatusOr<WeightFiles> files =
      FindWeightFiles(directory, options.variant, options.allowed);
  if (!files.ok()) return files.status();
  checkpoint->weight_files_ = *std::move(files);
  status = checkpoint->weight_files_.sharded
               ? checkpoint->AddShards(options.weights_observer)
               : checkpoint
                     ->AddFile(checkpoint->weight_files_.path,
                               options.weights_observer)
                     .status();
  // Without a model_type the tensors tell.
  if (status.ok() && checkpoint->config_.vocab_size == 0)
    status = checkpoint->ReadConfig(options.variant);
  status.Update(checkpoint->CheckEmbeddings());
  if (!status.ok()) return status;
  checkpoint->CountVocabulary();
  return checkpoint;
}

const TensorView* Checkpoint::Find(std::string_view name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second;
}

uint64_t Checkpoint::weights_bytes() const {
  uint64_t bytes = 0;
  for (const LoadedFile& file : files_) bytes += file.bytes().size();
  return bytes;
}

const LoadedFile* Checkpoint::FileOf(const TensorView& tensor) const {
  for (const LoadedFile& file : files_) {
    const std::byte* start = file.bytes().data();
    const std::less_equal<const std::byte*> not_after;
    if (not_after(start, tensor.bytes.data()) &&
        not_after(tensor.bytes.data() + tensor.bytes.size(),
                  start + file.bytes().size())) {
      return &file;
    }
  }
  return nullptr;
}

void Checkpoint::ReleaseAllBut(const TensorView* kept) const {
  const LoadedFile* const keeping = kept == nullptr ? nullptr : FileOf(*kept);
  for (const LoadedFile& file : files_) {
    const std::span<const std::byte> bytes = file.bytes();
    if (&file != keeping) {
      file.Release(bytes);
      continue;
    }
    const auto begin = static_cast<size_t>(kept->bytes.data() - bytes.data());
    file.Release(bytes.first(begin));
    file.Release(bytes.subspan(begin + kept->bytes.size()));
  }
}

}  // namespace deberta::model
