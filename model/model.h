// A loaded DeBERTa: batches of ids in, logits and hidden states out.
//
// A Model is immutable and shared by threads; each thread that runs batches
// owns a Workspace. A sequence's result does not depend on its companions in
// the batch.

#ifndef MODEL_MODEL_H_
#define MODEL_MODEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/checkpoint.h"
#include "model/checkpoint/config.h"
#include "model/gemm/precision.h"
#include "model/gemm/products.h"
#include "model/observers.h"
#include "model/runtime/batch.h"
#include "model/runtime/workspace.h"
#include "model/shared_weights.h"
#include "model/weights/weights.h"

namespace deberta::model {

class Model {
 public:
  struct Options {
    // Threads used to pack weights while loading.
    int load_threads = 1;
    // Of the encoder; see precision().
    Precision precision = Precision::kFp32;
    // Who computes; see products(). Own: equal loads give equal bits.
    Products products = Products::kOwn;
    LoadObserver observer = nullptr;
    // Of a directory.
    Checkpoint::Options checkpoint = {};
    // The decoder that fills masks, where the tensors are not to choose.
    std::optional<FillMaskDecoder> fill_mask = std::nullopt;
    // The head, where no class of transformers has it.
    std::optional<DeclaredHead> head = std::nullopt;
    // Where the model finds what others hold already; null: it holds all
    // itself. Not used after loading.
    SharedWeights* shared_weights = nullptr;
    // Others will be loaded from the checkpoint too: none of its memory is
    // given back before ReleaseCheckpoint().
    bool share_checkpoint = false;
  };

  // Loads `checkpoint`, which models in other precisions may share. All
  // missing, unexpected and misshapen tensors are reported together.
  static absl::StatusOr<std::unique_ptr<const Model>> Load(
      std::shared_ptr<const Checkpoint> checkpoint, const Options& options);
  // Loads the checkpoint in `directory`.
  static absl::StatusOr<std::unique_ptr<const Model>> Load(
      const std::string& directory, const Options& options);
  ~Model();

  // InvalidArgument if an id, a type id or a row is out of range, a sequence is
  // empty, or one is longer than the model has positions for: than
  // max_position_embeddings while position_biased_input is set or the Enhanced
  // Mask Decoder is to fill its masks; with few and odd position_buckets, than
  // the reach of their table (RelativePosition::Reach).
  // Rows of sequences that are not wanted any more are 0 in `output`; if none
  // is left, Cancelled. A batch with hidden_layers is computed for all of its
  // sequences up to the last layer.
  absl::Status Forward(const RaggedBatch& batch, Workspace& workspace,
                       BatchOutput* output,
                       const ForwardOptions& options = {}) const;

  // What the encoder uses, and why if it is not what was asked for.
  const PrecisionChoice& precision() const;
  // Whose products are computed, by precision: "fp32 own, int8 onednn".
  const std::string& products() const;
  const Config& config() const;
  Head head() const;
  // Set iff the head is that of a masked language model.
  std::optional<FillMaskDecoder> fill_mask_decoder() const;
  // Names of the logits' columns: of classifiers as the configuration has them,
  // ORIGINAL and REPLACED of replaced-token detection, else empty.
  const std::vector<std::string>& labels() const;
  // Of a head that reads the caller's labels, beside which head() is none;
  // null without one.
  const LabelHead* label_head() const;
  // Columns of the head's logits; 0 without a head.
  size_t logit_width() const;
  // Columns of each output of a declared head; empty of others.
  std::vector<size_t> output_columns() const;
  // Tokens of the longest sequence that Forward() takes, whatever is read of
  // it.
  uint64_t longest_sequence() const;
  // See RowCost() of head_weights.h.
  double row_cost() const;
  int64_t parameters() const;
  // Bytes of packed weights and tables held in memory, of shared ones too.
  uint64_t resident_bytes() const;
  // Of these, what another model held already when this one was loaded.
  uint64_t shared_bytes() const;
  // Gives back the checkpoint's memory but for the word embeddings, if its
  // models read them there: none may be loaded from it any more.
  void ReleaseCheckpoint() const;
  std::string_view weights_format() const;
  const std::string& weights_path() const;
  // Tensors of the file that nothing uses: see Weights::unexpected.
  const std::vector<std::string>& unexpected_tensors() const;

 private:
  struct Parts;
  explicit Model(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace deberta::model

#endif  // MODEL_MODEL_H_
