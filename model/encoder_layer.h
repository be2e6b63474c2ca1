// One layer: attention, then the feed-forward network, each followed by a
// LayerNorm of the sum with what entered it (spec 2.8).

#ifndef MODEL_ENCODER_LAYER_H_
#define MODEL_ENCODER_LAYER_H_

#include <cstddef>
#include <optional>
#include <span>

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
  static absl::StatusOr<EncoderLayer> Load(const LayerWeights& weights,
                                           std::span<const float> relative,
                                           WeightReader& reader);

  // hidden [tokens, hidden] -> rows of `plan`, at the front of `hidden`. `rows`
  // are the rows of the batch that the plan computes, ascending; empty: all.
  void Forward(float* hidden, size_t tokens, const AttentionPlan& plan,
               std::span<const uint32_t> rows, Workspace& workspace) const;

  // Forward's two halves, for the enhanced mask decoder.
  // hidden [tokens, hidden] -> workspace.projections: queries, keys and values.
  void Project(const float* hidden, size_t tokens, Workspace& workspace) const;
  // workspace.projections and what the rows of `plan` held before, `states`
  // [plan.rows, hidden] -> the layer's output for those rows, in place.
  // REQUIRES: room for Linear::PaddedRows(plan.rows) rows at `states`.
  void Attend(float* states, const AttentionPlan& plan,
              Workspace& workspace) const;
  // Puts the queries of `states` [rows.size(), hidden] in the place of those of
  // `rows` in workspace.projections.
  void ReplaceQueries(const float* states, std::span<const uint32_t> rows,
                      Workspace& workspace) const;

  size_t width() const { return attention_output_.out(); }
  size_t bytes() const;

 private:
  EncoderLayer(Attention attention, Linear projections, Linear attention_output,
               LayerNorm attention_norm, Linear intermediate, Linear output,
               LayerNorm output_norm);

  // What stands between products is of T, which attention reads: Bf16 or float.
  template <typename T>
  void ProjectAs(const float* hidden, size_t tokens,
                 Workspace& workspace) const;
  template <typename T>
  void AttendAs(float* states, const AttentionPlan& plan,
                Workspace& workspace) const;
  template <typename T>
  void ReplaceQueriesAs(const float* states, std::span<const uint32_t> rows,
                        Workspace& workspace) const;

  Attention attention_;
  Linear projections_;  // queries, keys, values: hidden -> 3 hidden
  Linear attention_output_;
  LayerNorm attention_norm_;
  Linear intermediate_;
  Linear output_;
  LayerNorm output_norm_;
};

}  // namespace deberta::model

#endif  // MODEL_ENCODER_LAYER_H_
