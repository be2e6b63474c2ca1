// Which files of a checkpoint directory hold its weights.

#ifndef MODEL_CHECKPOINT_WEIGHT_FILES_H_
#define MODEL_CHECKPOINT_WEIGHT_FILES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace deberta::model {

enum class WeightsFormat {
  kSafetensors,  // model.safetensors
  kTorch,        // pytorch_model.bin
  kHdf5,         // tf_model.h5
};

// "safetensors", "torch", "hdf5".
std::string_view WeightsFormatName(WeightsFormat format);
// Nothing if no format has this name.
std::optional<WeightsFormat> WeightsFormatNamed(std::string_view name);
const std::vector<WeightsFormat>& AllWeightsFormats();

// v3's pretraining leaves two models in one directory.
enum class WeightsVariant {
  kMain,
  kGenerator,  // generator_config.json, pytorch_model.generator.bin
};

// "config.json" or "generator_config.json".
std::string_view ConfigFileName(WeightsVariant variant);

struct WeightFiles {
  WeightsFormat format = WeightsFormat::kSafetensors;
  std::string path;      // the weights, or the index of their shards
  bool sharded = false;  // `path` is an index
};

// The first file of an allowed format, in the order of transformers (spec 6.1):
// safetensors, torch, hdf5, each as one file before shards. NotFound lists what
// there is and what is allowed (the server's --allowed_weights).
absl::StatusOr<WeightFiles> FindWeightFiles(
    const std::string& directory, WeightsVariant variant,
    const std::vector<WeightsFormat>& allowed);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_WEIGHT_FILES_H_
