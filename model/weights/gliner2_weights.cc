#include "model/weights/gliner2_weights.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace deberta::model {
namespace {

// Of the transformer between labels, and the number of experts.
constexpr int64_t kFieldWidth = 128;
constexpr int64_t kFieldInner = 256;
constexpr int64_t kExperts = 4;
// After an activation, or an activation and dropout.
constexpr int kSecond = 2;

std::string Counting(const char* name) {
  return absl::StrCat("count_embed.", name);
}

FieldTransformerWeights BindTransformer(int64_t hidden, TensorBinder& binder) {
  const std::string prefix = Counting("transformer.");
  FieldTransformerWeights weights;
  weights.in = binder.Linear(prefix + "in_projector", kFieldWidth, hidden);
  for (size_t i = 0; i < weights.layers.size(); ++i) {
    const std::string layer =
        absl::StrCat(prefix, "transformer.layers.", i, ".");
    const std::string attention = layer + "self_attn.";
    weights.layers[i] = {
        .in_proj = {binder.Tensor(attention + "in_proj_weight",
                                  {3 * kFieldWidth, kFieldWidth}),
                    binder.Tensor(attention + "in_proj_bias",
                                  {3 * kFieldWidth})},
        .out_proj =
            binder.Linear(attention + "out_proj", kFieldWidth, kFieldWidth),
        .attention_norm = binder.Norm(layer + "norm1", kFieldWidth),
        .inner = {binder.Linear(layer + "linear1", kFieldInner, kFieldWidth),
                  binder.Linear(layer + "linear2", kFieldWidth, kFieldInner)},
        .output_norm = binder.Norm(layer + "norm2", kFieldWidth)};
  }
  const std::string out = prefix + "out_projector.";
  weights.out = {binder.Linear(out + "0", hidden, hidden + kFieldWidth),
                 binder.Linear(out + "2", hidden, hidden),
                 binder.Linear(out + "4", hidden, hidden)};
  return weights;
}

ExpertsWeights BindExperts(int64_t hidden, TensorBinder& binder) {
  return {
      binder.Tensor(Counting("w1"), {kExperts, hidden, 2 * hidden}),
      binder.Tensor(Counting("b1"), {kExperts, 2 * hidden}),
      binder.Tensor(Counting("w2"), {kExperts, 2 * hidden, hidden}),
      binder.Tensor(Counting("b2"), {kExperts, hidden}),
      BindMlp(Counting("router"), {hidden, hidden, kExperts}, kSecond, binder)};
}

}  // namespace

Gliner2Weights BindGliner2(const Config& config, const Gliner2Config& gliner2,
                           TensorBinder& binder) {
  constexpr int64_t kGates = 3;
  const int64_t hidden = config.hidden_size;
  Gliner2Weights weights = {
      .spans = BindSpanScorer("span_rep.span_rep_layer.", SpanMode::kMarkerV0,
                              hidden, binder),
      .classifier =
          BindMlp("classifier", {hidden, 2 * hidden, 1}, kSecond, binder),
      .counts = BindMlp("count_pred", {hidden, 2 * hidden, kInstanceCounts},
                        kSecond, binder),
      .instances = binder.Tensor(Counting("pos_embedding.weight"),
                                 {kInstanceCounts, hidden}),
      .gru = BindRecurrent(Counting("gru"), "_l0", kGates, hidden, hidden,
                           binder)};
  switch (gliner2.counting) {
    case CountingLayer::kProjector:
      weights.projector =
          BindMlp(Counting("projector"), {2 * hidden, 4 * hidden, hidden},
                  kSecond, binder);
      break;
    case CountingLayer::kTransformer:
      weights.transformer = BindTransformer(hidden, binder);
      break;
    case CountingLayer::kExperts:
      weights.experts = BindExperts(hidden, binder);
      break;
  }
  return weights;
}

}  // namespace deberta::model
