#include "model/weights/gliner_weights.h"

#include <string>

namespace deberta::model {
namespace {

LayerFuserWeights BindFuser(const Config& config, TensorBinder& binder) {
  const std::string prefix = "token_rep_layer.bert_layer.layers_fuser.";
  const int64_t hidden = config.hidden_size;
  const int64_t layers = config.num_hidden_layers;
  const int64_t inner = layers / 2;
  return {binder.Linear(prefix + "squeeze", 1, hidden),
          {binder.Linear(prefix + "W1", inner, layers),
           binder.Linear(prefix + "W2", layers, inner)},
          binder.Linear(prefix + "output_projection", hidden, hidden)};
}

}  // namespace

GlinerWeights BindGliner(const Config& config, const GlinerConfig& gliner,
                         TensorBinder& binder) {
  const int64_t d = gliner.width;
  GlinerWeights weights;
  if (gliner.fuses_layers) weights.fuser = BindFuser(config, binder);
  if (d != config.hidden_size) {
    weights.projection =
        binder.Linear("token_rep_layer.projection", d, config.hidden_size);
  }
  for (int64_t i = 0; i < gliner.rnn_layers; ++i) {
    weights.lstm.push_back(BindLstm("rnn.lstm", i, d, d / 2, binder));
  }
  const LabelHeadKind kind = gliner.head.kind;
  if (kind != LabelHeadKind::kTokens) {
    weights.spans = BindSpanScorer("span_rep_layer.span_rep_layer.",
                                   gliner.span_mode, d, binder);
  }
  constexpr int kSecond = 3;  // after an activation and dropout
  if (kind == LabelHeadKind::kSpans) {
    weights.prompt =
        BindMlp("prompt_rep_layer", {d, 4 * d, d}, kSecond, binder);
  } else {
    weights.tokens = TokenScorerWeights{
        binder.Linear("scorer.proj_token", 2 * d, d),
        binder.Linear("scorer.proj_label", 2 * d, d),
        BindMlp("scorer.out_mlp", {3 * d, 4 * d, 3}, kSecond, binder)};
  }
  return weights;
}

}  // namespace deberta::model
