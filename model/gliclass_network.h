// GLiClass's network over the encoder's last hidden states (spec gliner 4): one
// vector of the text and one of each label, projected and scored.

#ifndef MODEL_GLICLASS_NETWORK_H_
#define MODEL_GLICLASS_NETWORK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "model/checkpoint/gliclass_config.h"
#include "model/label_network.h"
#include "model/label_parts.h"
#include "model/layers/linear.h"
#include "model/layers/lstm.h"
#include "model/token_scorer.h"
#include "model/weights/gliclass_weights.h"

namespace deberta::model {

class GliclassNetwork : public LabelNetwork {
 public:
  static absl::StatusOr<std::unique_ptr<const LabelNetwork>> Load(
      const GliclassConfig& config, const GliclassWeights& weights,
      WeightReader& reader);

  void AddRowsRead(const RaggedBatch& batch,
                   std::vector<uint32_t>* rows) const override;
  void Forward(const RaggedBatch& batch, const Hidden& hidden,
               Workspace& workspace, BatchOutput* output) const override;
  size_t bytes() const override;

 private:
  // Vectors of all texts of a batch, and where the labels of each begin.
  struct Vectors {
    std::array<FloatBuffer, 4> buffers;
    float* texts = nullptr;                    // [RowsReserved(texts), H]
    float* labels = nullptr;                   // [RowsReserved(labels), H]
    std::vector<size_t> sequences;             // [texts]: of the batch
    std::vector<uint32_t> label_starts = {0};  // [texts + 1]
  };

  GliclassNetwork(const GliclassConfig& config, size_t width)
      : config_(config), width_(width) {}

  absl::Status LoadScorer(const GliclassWeights& weights, WeightReader& reader);

  Vectors Gather(const RaggedBatch& batch, const Hidden& hidden,
                 Workspace& workspace) const;
  // Of the tokens' states after the LSTM -> vectors->texts.
  void PoolAfterLstm(const RaggedBatch& batch, const Hidden& hidden,
                     Workspace& workspace, Vectors* vectors) const;
  // Projects and, if so configured, normalizes.
  void Project(Vectors* vectors, Workspace& workspace) const;
  // -> [labels] of all texts.
  std::vector<float> ScoreDot(const Vectors& vectors) const;
  std::vector<float> ScoreMlp(const Vectors& vectors,
                              Workspace& workspace) const;
  std::vector<float> ScoreWeightedDot(const Vectors& vectors,
                                      Workspace& workspace) const;
  std::vector<float> ScoreHopfield(const Vectors& vectors,
                                   Workspace& workspace) const;
  // x [PaddedRows(rows), in] -> [rows].
  std::vector<float> RunMlp(const float* x, size_t rows,
                            Workspace& workspace) const;

  const GliclassConfig config_;
  const size_t width_;  // H
  std::optional<BidirectionalLstm> lstm_;
  std::optional<Mlp> text_, labels_;
  std::optional<TokenScorer> weighted_dot_;
  std::array<std::optional<Linear>, 3> mlp_;
  std::array<std::optional<Linear>, 3> hopfield_;  // q, k, v
  float logit_scale_ = 1;
};

}  // namespace deberta::model

#endif  // MODEL_GLICLASS_NETWORK_H_
