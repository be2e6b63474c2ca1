// What GLiNER2 looks for: from the vectors of a group's labels to those of the
// labels of each of its instances (spec gliner 3.4), a GRU's states u_1, u_2,
// ... from the label's vector g, mixed by a counting layer:
//   count_lstm      projector([u | g])
//   count_lstm_v2   FieldTransformer(u + g)
//   count_lstm_moe  sum_e softmax(router(u))_e expert_e(u)

#ifndef MODEL_INSTANCE_QUERIES_H_
#define MODEL_INSTANCE_QUERIES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "model/field_transformer.h"
#include "model/label_parts.h"
#include "model/layers/linear.h"
#include "model/runtime/workspace.h"
#include "model/weight_reader.h"
#include "model/weights/gliner2_weights.h"

namespace deberta::model {

class InstanceQueries {
 public:
  static absl::StatusOr<InstanceQueries> Load(const Gliner2Weights& weights,
                                              WeightReader& reader);

  // Labels that belong together, `first` and on, and how many instances are
  // looked for.
  struct Group {
    size_t first = 0;
    size_t labels = 0;
    size_t instances = 0;
  };
  struct Queries {
    FloatBuffer buffer;
    const float* values = nullptr;  // [PaddedRows(rows), H]
    size_t rows = 0;
    // [groups][instances]: the row of the first label.
    std::vector<std::vector<size_t>> firsts;
  };
  // g [labels, H]. Takes workspace.intermediate.
  Queries Compute(const float* g, std::span<const Group> groups,
                  Workspace& workspace) const;

  size_t bytes() const;

 private:
  // One expert: gelu(u W_1 + b_1) W_2 + b_2.
  struct Expert {
    Linear inner;
    Linear outer;
  };
  // Which label each row is of, and its blocks: labels of one instance.
  struct Rows {
    std::vector<size_t> labels;
    std::vector<uint32_t> starts = {0};
    std::vector<size_t> steps;  // rows of each instance's number
  };

  InstanceQueries() = default;

  absl::Status LoadExperts(const ExpertsWeights& weights, WeightReader& reader);
  // The GRU's states [rows, H].
  void RunGru(const float* g, const Rows& rows, float* u,
              Workspace& workspace) const;
  void MixExperts(const float* u, size_t rows, float* q,
                  Workspace& workspace) const;

  size_t width_ = 0;  // H
  // Of the GRU: what comes of the inputs [instances, 3 H], and of the state.
  std::vector<float> inputs_;
  std::optional<Linear> state_;
  std::optional<Mlp> projector_;
  std::optional<FieldTransformer> transformer_;
  std::optional<Mlp> router_;
  std::vector<Expert> experts_;
};

}  // namespace deberta::model

#endif  // MODEL_INSTANCE_QUERIES_H_
