#include "model/checkpoint/weight_contents.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "model/checkpoint/safetensors.h"
#include "model/checkpoint/tf_weight_names.h"
#include "model/checkpoint/torch_file.h"

namespace deberta::model {
namespace {

absl::Status AtFile(const LoadedFile& file, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(file.path(), ": ", status.message()));
}

// Of a file that has PyTorch's names and layout.
WeightContents AsTheyAre(TensorMap tensors, NameMap other_types) {
  WeightContents contents;
  for (const auto& [name, type] : other_types) {
    contents.skipped.emplace(name, absl::StrCat("of type ", type));
  }
  contents.tensors = std::move(tensors);
  contents.other_types = std::move(other_types);
  return contents;
}

absl::StatusOr<WeightContents> FromTensorFlow(
    const LoadedFile& file, const SafetensorsContents& contents, TfNames names,
    Family family) {
  absl::StatusOr<TfWeights> weights = MapTfWeights(contents, names, family);
  if (!weights.ok()) return AtFile(file, weights.status());
  return WeightContents{
      std::move(weights->tensors), std::move(weights->other_types),
      std::move(weights->buffers), std::move(weights->source_names),
      std::move(weights->skipped), true};
}

absl::StatusOr<WeightContents> ReadSafetensors(const LoadedFile& file,
                                               Family family) {
  absl::StatusOr<SafetensorsContents> read = ParseSafetensors(file.bytes());
  if (!read.ok()) return AtFile(file, read.status());
  if (read->framework == "tf") {
    return FromTensorFlow(file, *read, TfNames::kVariables, family);
  }
  return AsTheyAre(std::move(read->tensors), std::move(read->other_types));
}

absl::StatusOr<WeightContents> ReadTorch(const LoadedFile& file) {
  absl::StatusOr<TorchContents> read = ParseTorchFile(file.bytes());
  if (!read.ok()) return AtFile(file, read.status());
  WeightContents contents =
      AsTheyAre(std::move(read->tensors), std::move(read->other_types));
  contents.buffers = std::move(read->buffers);
  return contents;
}

}  // namespace

absl::StatusOr<WeightContents> ReadWeights(const LoadedFile& file,
                                           const WeightSource& source) {
  switch (source.format) {
    case WeightsFormat::kSafetensors:
      return ReadSafetensors(file, source.family);
    case WeightsFormat::kTorch:
      return ReadTorch(file);
    case WeightsFormat::kHdf5:
      break;
  }
  const absl::StatusOr<SafetensorsContents> read =
      ReadHdf5(file, source.hdf5_reader);
  if (!read.ok()) return read.status();
  return FromTensorFlow(
      file, *read, source.sharded ? TfNames::kVariables : TfNames::kKerasLayers,
      source.family);
}

}  // namespace deberta::model
