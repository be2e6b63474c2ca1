// A checkpoint directory: its configuration and its tensors by name.
//
// Weights are memory-mapped and never copied here. Names are normalised when
// the directory is opened (spec 6.2: `module.` and `deberta.` prefixes,
// gamma/beta), so that callers ask for names without the `deberta.` prefix:
// "encoder.layer.0.attention.self.in_proj.weight", "pooler.dense.weight".
//
// Immutable once opened; may be shared by threads.

#ifndef MODEL_CHECKPOINT_CHECKPOINT_H_
#define MODEL_CHECKPOINT_CHECKPOINT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/mapped_file.h"
#include "model/checkpoint/tensor.h"

namespace deberta::model {

class Checkpoint {
 public:
  // Reads `directory`/config.json and model.safetensors (or the shards named by
  // model.safetensors.index.json). NotFound where a file is missing,
  // InvalidArgument where one is malformed; both name it.
  static absl::StatusOr<std::unique_ptr<const Checkpoint>> Open(
      const std::string& directory);

  const std::string& directory() const { return directory_; }
  const Config& config() const { return config_; }

  // Null if there is no such tensor.
  const TensorView* Find(std::string_view name) const;
  const TensorMap& tensors() const { return tensors_; }
  // Tensors that hold no floating-point numbers, left out of tensors(): their
  // element types as the file writes them ("I64") by name.
  const std::map<std::string, std::string, std::less<>>& other_types() const {
    return other_types_;
  }

  // The file that identifies the weights: model.safetensors, or the index file
  // where sharded. `sha256` of GetModel is of this file.
  const std::string& weights_path() const { return weights_path_; }
  // "safetensors".
  std::string_view weights_format() const { return "safetensors"; }
  // Bytes of all weight files.
  uint64_t weights_bytes() const;

  // Tells the kernel that the mapped pages under `tensor` are no longer needed;
  // they are read again from the file if touched.
  void Release(const TensorView& tensor) const;

 private:
  Checkpoint() = default;

  // Adds the tensors of one file; returns their names as the file has them.
  absl::StatusOr<std::set<std::string>> AddFile(const std::string& path);
  absl::Status AddShards();

  std::string directory_;
  Config config_;
  std::string weights_path_;
  std::vector<MappedFile> files_;
  TensorMap tensors_;
  std::map<std::string, std::string, std::less<>> other_types_;
};

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_CHECKPOINT_H_
