// A checkpoint directory: its configuration and its tensors by name.
//
// Weight files are read into memory once, whatever becomes of them then; only
// tensors that a file lays out otherwise are copied. Names are normalised when
// the directory is opened (spec 6.2: `module.` and `deberta.` prefixes,
// gamma/beta; 6.4: TensorFlow's), so that callers ask for names without the
// `deberta.` prefix: "encoder.layer.0.attention.self.in_proj.weight",
// "pooler.dense.weight".
//
// Immutable once opened; may be shared by threads.

#ifndef MODEL_CHECKPOINT_CHECKPOINT_H_
#define MODEL_CHECKPOINT_CHECKPOINT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/label_config.h"
#include "model/checkpoint/loaded_file.h"
#include "model/checkpoint/tensor.h"
#include "model/checkpoint/weight_files.h"

namespace deberta::model {

class Checkpoint {
 public:
  struct Options {
    // Files of other formats are not opened (--allowed_weights).
    std::vector<WeightsFormat> allowed = AllWeightsFormats();
    WeightsVariant variant = WeightsVariant::kMain;
    // Path of the program deberta-read-hdf5, which tf_model.h5 needs.
    std::string hdf5_reader = {};
    // What stands before the backbone's names, beside what NormalizeWeightName
    // knows.
    std::string backbone_prefix = "deberta.";
    // Told the bytes of the file at weights_path(), as they are read.
    ByteObserver weights_observer = nullptr;
  };

  // Reads `directory`/config.json, or gliner_config.json where there is one,
  // and the weights that FindWeightFiles gives. NotFound where a file is
  // missing, InvalidArgument where one is malformed; both name it.
  static absl::StatusOr<std::unique_ptr<const Checkpoint>> Open(
      const std::string& directory, const Options& options);

  const std::string& directory() const { return directory_; }
  const Config& config() const { return config_; }
  // Of a model whose head reads the caller's labels; else null.
  const LabelConfig* label_config() const {
    return label_config_.has_value() ? &*label_config_ : nullptr;
  }
  // The file that has the configuration: "config.json".
  const std::string& config_file() const { return config_file_; }

  // Null if there is no such tensor.
  const TensorView* Find(std::string_view name) const;
  const TensorMap& tensors() const { return tensors_; }
  // Tensors that hold no floating-point numbers, left out of tensors(): their
  // element types as the file writes them ("I64") by name.
  const NameMap& other_types() const { return other_types_; }
  // The names of tensors() in the files, by normalised name.
  const NameMap& source_names() const { return source_names_; }
  // What the files hold beside tensors(), by its name there, and why it is left
  // out.
  const NameMap& skipped() const { return skipped_; }

  // The file that identifies the weights: model.safetensors, or the index file
  // where sharded. `sha256` of GetModel is of this file.
  const std::string& weights_path() const { return weight_files_.path; }
  // "safetensors", "torch" or "hdf5".
  std::string_view weights_format() const {
    return WeightsFormatName(weight_files_.format);
  }
  // Bytes of all weight files.
  uint64_t weights_bytes() const;

  // Gives the memory of all files back to the system, but for that of `kept`,
  // which may be null: nothing may read another tensor any more.
  void ReleaseAllBut(const TensorView* kept) const;

 private:
  Checkpoint() = default;

  // The file that the tensor lies in; null if it was copied.
  const LoadedFile* FileOf(const TensorView& tensor) const;

  // Without a model_type, nothing before there are tensors.
  absl::Status ReadConfig(WeightsVariant variant);
  // Adds the tensors of one file; returns their names as the file has them.
  absl::StatusOr<std::set<std::string>> AddFile(const std::string& path,
                                                const ByteObserver& observer);
  absl::Status AddShards(const ByteObserver& index_observer);
  absl::Status CheckEmbeddings() const;
  void CountVocabulary();

  std::string directory_;
  Config config_;
  WeightFiles weight_files_;
  std::string hdf5_reader_;
  std::string backbone_prefix_;
  std::vector<LoadedFile> files_;
  // Bytes of the tensors that are not as their file has them.
  std::vector<std::vector<std::byte>> buffers_;
  TensorMap tensors_;
  NameMap other_types_;
  NameMap source_names_;
  NameMap skipped_;
  std::optional<LabelConfig> label_config_;
  std::string config_file_;
};

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_CHECKPOINT_H_
