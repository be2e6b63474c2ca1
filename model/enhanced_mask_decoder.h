// DeBERTa's Enhanced Mask Decoder (He et al. 2021, section 3.2; as Microsoft's
// code computes it, spec section 4): absolute positions join just before the
// masked words are predicted.
//
//   q_0     = z + h^{N-1}, z the position embeddings, h^{N-1} what enters the
//             last layer
//   q_{t+1} = the last layer, with queries and residual from q_t, keys and
//             values from h^{N-1}; twice
//
// q_2 of a row depends on no other row's q, so only rows that are wanted are
// computed.

#ifndef MODEL_ENHANCED_MASK_DECODER_H_
#define MODEL_ENHANCED_MASK_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "model/encoder_layer.h"
#include "model/runtime/batch.h"
#include "model/runtime/workspace.h"

namespace deberta::model {

class EnhancedMaskDecoder {
 public:
  // `positions` [sequence limit, width].
  EnhancedMaskDecoder(std::vector<float> positions, size_t width);

  // InvalidArgument if a sequence with wanted logits has no position for each
  // of its tokens. REQUIRES: otherwise a valid batch.
  absl::Status Check(const RaggedBatch& batch) const;

  // q_0 of `rows`, ascending and unique, of hidden = h^{N-1} [tokens, width] ->
  // workspace.query_states.
  void Start(const RaggedBatch& batch, std::span<const uint32_t> rows,
             const float* hidden, Workspace& workspace) const;

  // workspace.query_states: q_0 -> q_2 [rows, width]. REQUIRES: Start with the
  // same rows, and `last`'s projections of h^{N-1} in the workspace; the
  // queries of `rows` among them are overwritten.
  void Finish(const RaggedBatch& batch, std::span<const uint32_t> rows,
              const EncoderLayer& last, Workspace& workspace) const;

  size_t bytes() const { return positions_.size() * sizeof(float); }

 private:
  const std::vector<float> positions_;
  const size_t width_;
};

}  // namespace deberta::model

#endif  // MODEL_ENHANCED_MASK_DECODER_H_
