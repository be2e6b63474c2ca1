// Token ids to the rows that enter the first layer (spec 2.2).

#ifndef MODEL_LAYERS_EMBEDDINGS_H_
#define MODEL_LAYERS_EMBEDDINGS_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "model/checkpoint/tensor.h"
#include "model/layers/layer_norm.h"
#include "model/layers/linear.h"
#include "model/runtime/batch.h"
#include "model/runtime/workspace.h"

namespace deberta::model {

struct Embeddings {
  // [vocab, E], read row by row where the checkpoint holds them.
  const TensorView* words = nullptr;
  std::vector<float> positions;  // [positions, E], or empty
  std::vector<float> types;      // [types, E], or empty
  std::optional<Linear> proj;    // E -> hidden where they differ
  LayerNorm norm;

  // hidden [tokens, hidden] = LayerNorm(proj(word + position + type)).
  // REQUIRES: ids, type ids and positions within the tables; room for
  // Linear::PaddedRows(tokens) rows at `hidden`.
  void Forward(const RaggedBatch& batch, float* hidden,
               Workspace& workspace) const;

  // Bytes held in memory, without the words.
  size_t bytes() const;
};

}  // namespace deberta::model

#endif  // MODEL_LAYERS_EMBEDDINGS_H_
