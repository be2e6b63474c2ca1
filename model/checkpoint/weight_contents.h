// What one file of weights holds, whichever its format.

#ifndef MODEL_CHECKPOINT_WEIGHT_CONTENTS_H_
#define MODEL_CHECKPOINT_WEIGHT_CONTENTS_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/hdf5.h"
#include "model/checkpoint/loaded_file.h"
#include "model/checkpoint/tensor.h"
#include "model/checkpoint/weight_files.h"

namespace deberta::model {

struct WeightContents {
  // By PyTorch's names, not normalised; views into the file or `buffers`.
  TensorMap tensors;
  // Element types, or kinds, of what else has a name.
  NameMap other_types;
  std::vector<std::vector<std::byte>> buffers;
  // The names in the file of those `tensors` that have another.
  NameMap source_names;
  // What is left out, by its name in the file, and why.
  NameMap skipped;
  bool tensorflow = false;  // a model of TensorFlow's classes
};

struct WeightSource {
  WeightsFormat format = WeightsFormat::kSafetensors;
  bool sharded = false;  // one file of several
  Family family = Family::kDeberta;
  Hdf5Reader hdf5_reader;
};

// Errors name the file.
absl::StatusOr<WeightContents> ReadWeights(const LoadedFile& file,
                                           const WeightSource& source);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_WEIGHT_CONTENTS_H_
