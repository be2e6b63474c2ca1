// One layer: attention, then the feed-forward network, each followed by a
// LayerNorm of the sum with what entered it (spec 2.8).

#ifndef MODEL_ENCODER_LAYER_H_
#define MODEL_ENCODER_LAYER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "model/layers/attention.h"
#include "model/layers/layer_norm.h"
#include "model/layers/linear.h"
#include "model/runtime/workspace.h"
#include "model/weight_reader.h"

namespace deberta::model {

class EncoderLayer {
 public:
  // `relative` [2 S, hidden]: rel_embeddings after their norm; empty without
  // relative attention.
  static absl::StatusOr<std::unique_ptr<const EncoderLayer>> Load(
      const LayerWeights& weights, std::span<const float> relative,
      WeightReader& reader);

  virtual ~EncoderLayer() = default;

  // hidden [tokens, hidden] -> rows of `plan`, at the front of `hidden`. `rows`
  // are the rows of the batch that the plan computes, ascending; empty: all.
  virtual void Forward(float* hidden, size_t tokens, const AttentionPlan& plan,
                       std::span<const uint32_t> rows,
                       Workspace& workspace) const = 0;

  // What the enhanced mask decoder does instead.
  // hidden [tokens, hidden] -> workspace.projections: queries, keys and values.
  virtual void Project(const float* hidden, size_t tokens,
                       Workspace& workspace) const = 0;
  // states [plan.rows, hidden], of `rows`, -> the layer's output for them, in
  // place: queries from `states`, keys and values as Project left them.
  // REQUIRES: room for Linear::PaddedRows(plan.rows) rows at `states`.
  virtual void ForwardQueries(float* states, std::span<const uint32_t> rows,
                              const AttentionPlan& plan,
                              Workspace& workspace) const = 0;

  size_t width() const { return parts_.attention_output.out(); }
  size_t bytes() const;

 protected:
  struct Parts {
    Attention attention;
    Linear projections;  // queries, keys, values: hidden -> 3 hidden
    Linear attention_output;
    LayerNorm attention_norm;
    Linear intermediate;
    Linear output;
    LayerNorm output_norm;
  };
  explicit EncoderLayer(Parts parts) : parts_(std::move(parts)) {}

  const Parts parts_;
};

}  // namespace deberta::model

#endif  // MODEL_ENCODER_LAYER_H_
