// Embeddings and layers: token ids in, hidden states out.

#ifndef MODEL_ENCODER_H_
#define MODEL_ENCODER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "model/batch.h"
#include "model/encoder_layer.h"
#include "model/layers/convolution.h"
#include "model/layers/embeddings.h"
#include "model/observers.h"
#include "model/weight_reader.h"

namespace deberta::model {

class Encoder {
 public:
  static absl::StatusOr<Encoder> Load(const Weights& weights,
                                      WeightReader& reader);

  // Leaves the final hidden states of `rows`, or of all rows where `rows` is
  // empty, at the front of workspace.hidden. REQUIRES: a valid batch; `rows`
  // ascending and unique. `observer` may be null and needs all rows.
  void Forward(const RaggedBatch& batch, std::span<const uint32_t> rows,
               Workspace& workspace, const LayerObserver& observer) const;

  // Forward's two halves: up to what enters the last layer, all rows [tokens,
  // hidden] of workspace.hidden, and the last layer.
  void ForwardToLast(const RaggedBatch& batch, Workspace& workspace,
                     const LayerObserver& observer) const;
  void ForwardLast(const RaggedBatch& batch, std::span<const uint32_t> rows,
                   Workspace& workspace, const LayerObserver& observer) const;

  const EncoderLayer& last_layer() const { return layers_.back(); }

  // Bytes held in memory, without the mapped word embeddings.
  size_t bytes() const;

 private:
  Encoder() = default;

  // Layer `index` on all rows, with the convolution that follows the first.
  void RunLayer(size_t index, const RaggedBatch& batch,
                const AttentionPlan& all, Workspace& workspace,
                const LayerObserver& observer) const;

  size_t width_ = 0;
  Embeddings embeddings_;
  std::optional<Convolution> convolution_;
  std::vector<EncoderLayer> layers_;
};

}  // namespace deberta::model

#endif  // MODEL_ENCODER_H_
