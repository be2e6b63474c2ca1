// What stands on the encoder of a model that reads the caller's labels.

#ifndef MODEL_LABEL_NETWORK_H_
#define MODEL_LABEL_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/label_head.h"
#include "model/observers.h"
#include "model/runtime/batch.h"
#include "model/runtime/workspace.h"
#include "model/weight_reader.h"
#include "model/weights/weights.h"

namespace deberta::model {

class LabelNetwork {
 public:
  // Null for a model without such a head.
  static absl::StatusOr<std::unique_ptr<const LabelNetwork>> Load(
      const Weights& weights, WeightReader& reader);

  virtual ~LabelNetwork() = default;

  // Adds the rows of the batch whose last hidden states are read, in any order.
  virtual void AddRowsRead(const RaggedBatch& batch,
                           std::vector<uint32_t>* rows) const = 0;

  // Whether the hidden states of every row after every layer are read: then
  // Forward() needs `layers`.
  virtual bool reads_layers() const { return false; }

  struct Hidden {
    // Rows of the batch at `last`, ascending; all of them if empty.
    std::span<const uint32_t> rows;
    // [Linear::PaddedRows(rows), hidden]; may be overwritten.
    float* last = nullptr;
    // [layers, tokens, hidden] after each layer, or empty.
    std::span<const float> layers = {};
  };
  // -> output.word_logits. REQUIRES: readings that CheckReadings passed.
  virtual void Forward(const RaggedBatch& batch, const Hidden& hidden,
                       Workspace& workspace, BatchOutput* output) const = 0;

  virtual size_t bytes() const = 0;
};

// `options` under which `layers`, with room for them, take the `floats` of each
// layer, and no sequence is dropped before the last.
ForwardOptions CollectLayers(const ForwardOptions& options, size_t floats,
                             std::vector<float>* layers);

// InvalidArgument where a reading is not one of its sequence's tokens, or not
// as the head (null: none) reads them.
absl::Status CheckReadings(const RaggedBatch& batch, const LabelHead* head);

}  // namespace deberta::model

#endif  // MODEL_LABEL_NETWORK_H_
