// Weights as TensorFlow's classes name and lay them out, turned into PyTorch's
// names and layout (spec 6.4; transformers'
// convert_tf_weight_name_to_pt_weight_name).

#ifndef MODEL_CHECKPOINT_TF_WEIGHT_NAMES_H_
#define MODEL_CHECKPOINT_TF_WEIGHT_NAMES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/safetensors.h"
#include "model/checkpoint/tensor.h"

namespace deberta::model {

// How the names of a file begin.
enum class TfNames {
  // tf_model.h5: "LAYER/MODEL/LAYER/.../kernel:0", a Keras layer's weights
  // under its name. A layer that shares another's weights holds copies of them:
  // "cls/MODEL/deberta/embeddings/word_embeddings/weight:0".
  kKerasLayers,
  // Shards and safetensors files: "LAYER/.../kernel:0".
  kVariables,
};

struct TfWeights {
  // By PyTorch's names; views into the file, or into `buffers` where the axes
  // were turned around.
  TensorMap tensors;
  std::vector<std::vector<std::byte>> buffers;
  NameMap other_types;   // by PyTorch's names
  NameMap source_names;  // of `tensors`, in the file
  NameMap skipped;       // by their names in the file, and why
};

// "deberta/encoder/layer_._0/output/dense/kernel:0" is
// "deberta.encoder.layer.0.output.dense.weight". v2's position projections are
// renamed; v1's have the same names in both frameworks.
std::string TfVariableName(std::string_view name, Family family);

// The variable's name in an index of shards, "MODEL/LAYER/.../kernel:0",
// without the model's.
std::string_view WithoutTfModelName(std::string_view name);

// InvalidArgument if two tensors get one name, a name has too few parts, or a
// kernel has neither two nor three axes. Takes at most the file's size again.
absl::StatusOr<TfWeights> MapTfWeights(const SafetensorsContents& file,
                                       TfNames names, Family family);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_TF_WEIGHT_NAMES_H_
