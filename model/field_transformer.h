// GLiNER2's small transformer between the labels of one instance
// (count_lstm_v2): a = in(y), two post-norm layers of torch's
// TransformerEncoder, out([a | y]).

#ifndef MODEL_FIELD_TRANSFORMER_H_
#define MODEL_FIELD_TRANSFORMER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "model/label_parts.h"
#include "model/layers/layer_norm.h"
#include "model/layers/linear.h"
#include "model/runtime/workspace.h"
#include "model/weight_reader.h"
#include "model/weights/gliner2_weights.h"

namespace deberta::model {

class FieldTransformer {
 public:
  static absl::StatusOr<FieldTransformer> Load(
      const FieldTransformerWeights& weights, WeightReader& reader);

  // y [PaddedRows(rows), H] -> q [PaddedRows(rows), H]. Rows from starts[i] to
  // starts[i + 1] see each other. Takes workspace.intermediate.
  void Forward(const float* y, std::span<const uint32_t> starts, float* q,
               Workspace& workspace) const;

  size_t bytes() const;

 private:
  struct Layer {
    std::optional<Linear> in_proj, out_proj;
    LayerNorm attention_norm;
    std::optional<Mlp> inner;
    LayerNorm output_norm;
  };

  FieldTransformer() = default;

  // a [rows, width] in place.
  void RunLayer(const Layer& layer, std::span<const uint32_t> starts, float* a,
                Workspace& workspace) const;

  size_t width_ = 0;
  std::optional<Linear> in_;
  std::vector<Layer> layers_;
  std::array<std::optional<Linear>, 3> out_;
};

}  // namespace deberta::model

#endif  // MODEL_FIELD_TRANSFORMER_H_
