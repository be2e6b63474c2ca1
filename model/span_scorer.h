// GLiNER's scores of spans, factorised (spec gliner 1.6): what a span's first
// and last word, and what a label contribute is computed once for each, not for
// each of their combinations.
//
//   s = relu(project_start(x)), e = relu(project_end(x))
//   markerV0  logit_ijc = u_c . relu(a_i + b_j) + k_c
//             a = A s + b_0, b = B e, [A | B] = out_project.0's weight,
//             u_c = W_3^T q_c, k_c = b_3 . q_c
//   markerV1  the same, a_i being greater by M relu(mean of the text's words)
//   marker    logit_ijc = u_c . [s_i | e_j] + k_c, u_c = W^T q_c

#ifndef MODEL_SPAN_SCORER_H_
#define MODEL_SPAN_SCORER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "model/checkpoint/gliner_config.h"
#include "model/layers/linear.h"
#include "model/runtime/workspace.h"
#include "model/weight_reader.h"
#include "model/weights/gliner_weights.h"

namespace deberta::model {

class SpanScorer {
 public:
  static absl::StatusOr<SpanScorer> Load(const SpanScorerWeights& weights,
                                         SpanMode mode, WeightReader& reader);

  // What is computed of words and labels.
  struct Factors {
    std::array<FloatBuffer, 3> buffers;
    const float* starts = nullptr;  // [words, width]
    const float* ends = nullptr;    // [words, width]
    const float* labels = nullptr;  // [labels, label_stride()]
  };
  // x [PaddedRows(words), D] of all texts, that of text t from starts[t] on;
  // q [PaddedRows(labels), D].
  Factors Compute(const float* x, std::span<const uint32_t> starts,
                  const float* q, size_t labels, Workspace& workspace) const;

  // Words and labels of one text.
  struct Text {
    size_t first_word = 0;
    size_t words = 0;
    size_t first_label = 0;
    size_t labels = 0;
  };
  // -> [words, max_span_words, labels]; the lowest float past the last word.
  std::vector<float> ScoreAll(const Factors& factors, const Text& text,
                              size_t max_span_words,
                              Workspace& workspace) const;
  // The span of words `first` to `last` of the text -> [labels].
  void ScoreOne(const Factors& factors, const Text& text, size_t first,
                size_t last, float* logits) const;

  size_t bytes() const;

 private:
  SpanScorer() = default;

  absl::Status LoadSpan(const SpanScorerWeights& weights, WeightReader& reader);
  absl::Status LoadMarker(const SpanScorerWeights& weights,
                          WeightReader& reader);
  // Adds the texts' means to what their first words contribute.
  void AddMeans(const float* x, std::span<const uint32_t> starts, float* a,
                Workspace& workspace) const;
  // k_c of the text's labels.
  std::vector<float> Biases(const Factors& factors, const Text& text) const;
  // marker: the products of one side of all words [words, labels].
  void MultiplySide(const float* words, const float* labels, const Text& text,
                    const float* bias, float* products) const;

  bool separable_ = false;  // marker
  size_t width_ = 0;
  std::optional<Linear> start_inner_, start_outer_;
  std::optional<Linear> end_inner_, end_outer_;
  std::optional<Linear> first_, last_, mean_;  // A, B, M
  // D -> u_c: of markers [width (first), width (last), 16], else [width, 16];
  // of the last 16, the first is k_c.
  std::optional<Linear> label_;
};

}  // namespace deberta::model

#endif  // MODEL_SPAN_SCORER_H_
