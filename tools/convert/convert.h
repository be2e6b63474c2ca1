// Any supported checkpoint directory as one with model.safetensors.

#ifndef TOOLS_CONVERT_CONVERT_H_
#define TOOLS_CONVERT_CONVERT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/checkpoint/checkpoint.h"
#include "model/checkpoint/safetensors_writer.h"
#include "tools/convert/tensor_plan.h"

namespace deberta::tools {

// What was done.
struct Conversion {
  std::string weights_path;  // that was read
  std::string format;
  std::vector<PlannedTensor> tensors;
  model::NameMap skipped;  // tensors; why, by their names in the files
  uint64_t bytes = 0;      // of model.safetensors
  // Written beside the weights, and what each was made of.
  model::NameMap files;
  std::vector<std::string> left;  // files of the source that were not taken
};

// Writes the new directory `target`: the weights of `source` under the names
// that transformers loads (tensor_plan.h), its configuration (of a model that
// reads the caller's labels both files, and of GLiNER2 the encoder's too), and
// the files of its tokenizer as they are. Where TensorFlow wrote the weights,
// conv_groups is the 1 that its classes use; bpe_encoder.bin becomes vocab.json
// and merges.txt where there is no other vocabulary. On failure nothing is left
// behind.
absl::StatusOr<Conversion> Convert(const std::string& source,
                                   const std::string& target,
                                   const model::Checkpoint::Options& options,
                                   model::WriteObserver observer);

}  // namespace deberta::tools

#endif  // TOOLS_CONVERT_CONVERT_H_
