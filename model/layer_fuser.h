// GLiNER's mixture of the encoder's layers: squeeze and excite (spec gliner
// 1.5):
//   z_k = mean over the text's tokens of squeeze(U_k), U_k after layer k
//   g = sigmoid(W2 relu(W1 z)),  H = output_projection(sum_k g_k U_k)

#ifndef MODEL_LAYER_FUSER_H_
#define MODEL_LAYER_FUSER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "model/layers/linear.h"
#include "model/runtime/batch.h"
#include "model/runtime/workspace.h"
#include "model/weight_reader.h"
#include "model/weights/gliner_weights.h"

namespace deberta::model {

class LayerFuser {
 public:
  static absl::StatusOr<LayerFuser> Load(const LayerFuserWeights& weights,
                                         WeightReader& reader);

  // layers [layers, tokens, hidden] -> hidden [PaddedRows(tokens), hidden].
  void Forward(const RaggedBatch& batch, std::span<const float> layers,
               float* hidden, Workspace& workspace) const;

  size_t bytes() const { return output_.bytes(); }

 private:
  explicit LayerFuser(Linear output) : output_(std::move(output)) {}

  // g of a text with rows [begin, end).
  std::vector<float> Gates(std::span<const float> layers, size_t tokens,
                           size_t begin, size_t end) const;

  std::vector<float> squeeze_, squeeze_bias_;  // [hidden], [1]
  std::vector<float> first_, first_bias_;      // [layers / 2, layers]
  std::vector<float> second_, second_bias_;    // [layers, layers / 2]
  Linear output_;
};

}  // namespace deberta::model

#endif  // MODEL_LAYER_FUSER_H_
