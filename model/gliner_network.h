// GLiNER's network over the encoder's last hidden states (spec gliner 1.5 to
// 1.7): projection, vectors of words and labels, LSTM, scores.

#ifndef MODEL_GLINER_NETWORK_H_
#define MODEL_GLINER_NETWORK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "model/checkpoint/gliner_config.h"
#include "model/label_network.h"
#include "model/label_parts.h"
#include "model/layer_fuser.h"
#include "model/layers/linear.h"
#include "model/layers/lstm.h"
#include "model/span_scorer.h"
#include "model/token_scorer.h"
#include "model/weights/gliner_weights.h"

namespace deberta::model {

class GlinerNetwork : public LabelNetwork {
 public:
  static absl::StatusOr<std::unique_ptr<const LabelNetwork>> Load(
      const GlinerConfig& config, const GlinerWeights& weights,
      WeightReader& reader);

  void AddRowsRead(const RaggedBatch& batch,
                   std::vector<uint32_t>* rows) const override;
  bool reads_layers() const override { return fuser_.has_value(); }
  void Forward(const RaggedBatch& batch, const Hidden& hidden,
               Workspace& workspace, BatchOutput* output) const override;
  size_t bytes() const override;

 private:
  // Vectors of all texts of a batch, and where those of each begin.
  struct Vectors {
    std::array<FloatBuffer, 3> buffers;
    float* words = nullptr;                    // [PaddedRows(words), D]
    float* labels = nullptr;                   // [PaddedRows(labels), D]
    std::vector<uint32_t> word_starts = {0};   // [sequences + 1]
    std::vector<uint32_t> label_starts = {0};  // [sequences + 1]
  };

  explicit GlinerNetwork(const GlinerConfig& config) : config_(config) {}

  // Of `rows` of the batch, whose projected states are `states`.
  Vectors Gather(const RaggedBatch& batch, std::span<const uint32_t> rows,
                 const float* states, Workspace& workspace) const;
  void RunLstm(Vectors* vectors, Workspace& workspace) const;
  SpanScorer::Text TextOf(const Vectors& vectors, size_t sequence) const;
  void ScoreSpans(const Vectors& vectors, Workspace& workspace,
                  BatchOutput* output) const;
  void ScoreTokens(const RaggedBatch& batch, const Vectors& vectors,
                   Workspace& workspace, BatchOutput* output) const;
  // Appends what LabelHeadKind::kTokensAndSpans adds to the logits of words.
  void AddCandidates(const SpanScorer::Factors& factors,
                     const SpanScorer::Text& text,
                     std::span<const float> thresholds,
                     std::vector<float>* logits) const;

  const GlinerConfig config_;
  std::optional<LayerFuser> fuser_;
  std::optional<Linear> projection_;
  std::vector<BidirectionalLstm> lstm_;
  std::optional<Mlp> prompt_;
  std::optional<SpanScorer> spans_;
  std::optional<TokenScorer> tokens_;
};

}  // namespace deberta::model

#endif  // MODEL_GLINER_NETWORK_H_
