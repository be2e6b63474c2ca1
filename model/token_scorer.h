// GLiNER's scores of words as start, end and inside of a label (spec gliner
// 1.7):
//   [t0 | t1] = proj_token(x), [l0 | l1] = proj_label(p)
//   logits = W_3 relu(A t0 + B l0 + M (t1 * l1) + b_0) + b_3
// with out_mlp.0's weight [A | B | M].

#ifndef MODEL_TOKEN_SCORER_H_
#define MODEL_TOKEN_SCORER_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "model/layers/linear.h"
#include "model/runtime/workspace.h"
#include "model/weight_reader.h"
#include "model/weights/gliner_weights.h"

namespace deberta::model {

class TokenScorer {
 public:
  static absl::StatusOr<TokenScorer> Load(const TokenScorerWeights& weights,
                                          WeightReader& reader);

  // x [PaddedRows(words), D] and p [PaddedRows(labels), D] of one text
  // -> [words, labels, outputs()].
  std::vector<float> Score(const float* x, size_t words, const float* p,
                           size_t labels, Workspace& workspace) const;

  size_t outputs() const { return output_bias_.size(); }
  size_t bytes() const;

 private:
  TokenScorer() = default;

  size_t width_ = 0;
  std::optional<Linear> token_, token_factor_;                    // t0, t1
  std::optional<Linear> label_, label_factor_;                    // l0, l1
  std::optional<Linear> from_token_, from_label_, from_product_;  // A, B, M
  FloatBuffer output_;  // W_3 [outputs, width]
  std::vector<float> output_bias_;
};

}  // namespace deberta::model

#endif  // MODEL_TOKEN_SCORER_H_
