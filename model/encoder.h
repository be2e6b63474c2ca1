// Embeddings and layers: token ids in, hidden states out.

#ifndef MODEL_ENCODER_H_
#define MODEL_ENCODER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "model/encoder_layer.h"
#include "model/layers/convolution.h"
#include "model/layers/embeddings.h"
#include "model/observers.h"
#include "model/runtime/batch.h"
#include "model/weight_reader.h"

namespace deberta::model {

class Encoder {
 public:
  // Word embeddings are read at `words`, which equals that of `weights`.
  static absl::StatusOr<Encoder> Load(const Weights& weights,
                                      const TensorView* words,
                                      WeightReader& reader);

  // Up to what enters the last layer: [tokens, hidden] of workspace.hidden, of
  // the sequences that are still wanted then. Returns those, ascending.
  // REQUIRES: a valid batch. `observer` and `still_wanted` may be null.
  std::vector<size_t> ForwardToLast(const RaggedBatch& batch,
                                    Workspace& workspace,
                                    const LayerObserver& observer,
                                    const StillWanted& still_wanted) const;
  // The last layer, after ForwardToLast of just this batch's sequences: leaves
  // the final hidden states of `rows`, or of all rows where `rows` is empty, at
  // the front of workspace.hidden. REQUIRES: `rows` ascending and unique.
  // `observer` may be null and needs all rows.
  void ForwardLast(const RaggedBatch& batch, std::span<const uint32_t> rows,
                   Workspace& workspace, const LayerObserver& observer) const;

  const EncoderLayer& last_layer() const { return *layers_.back(); }

  // Bytes held in memory, without the word embeddings.
  size_t bytes() const;

 private:
  Encoder() = default;

  // Layer `index` on all rows, with the convolution that follows the first.
  void RunLayer(size_t index, const AttentionPlan& all, Workspace& workspace,
                const LayerObserver& observer) const;
  // Takes the rows of sequences that are not wanted any more out of `hidden`.
  // `starts` delimits the sequences `left` there.
  void DropUnwanted(const StillWanted& still_wanted, float* hidden,
                    std::vector<uint32_t>* starts,
                    std::vector<size_t>* left) const;

  size_t width_ = 0;
  Embeddings embeddings_;
  std::optional<Convolution> convolution_;
  std::vector<std::unique_ptr<const EncoderLayer>> layers_;
};

}  // namespace deberta::model

#endif  // MODEL_ENCODER_H_
