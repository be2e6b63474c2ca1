#include "model/weights/gliner_weights.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace deberta::model {
namespace {

// Layers 0 and 3 of a Sequential, with an activation and dropout between them.
MlpWeights BindMlp(const std::string& name, int64_t in, int64_t inner,
                   int64_t out, TensorBinder& binder) {
  return {binder.Linear(name + ".0", inner, in),
          binder.Linear(name + ".3", out, inner)};
}

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

LstmWeights BindDirection(int64_t layer, std::string_view suffix, int64_t in,
                          int64_t n, TensorBinder& binder) {
  const auto name = [&](const char* what) {
    return absl::StrCat("rnn.lstm.", what, "_l", layer, std::string(suffix));
  };
  return {binder.Tensor(name("weight_ih"), {4 * n, in}),
          binder.Tensor(name("weight_hh"), {4 * n, n}),
          binder.Tensor(name("bias_ih"), {4 * n}),
          binder.Tensor(name("bias_hh"), {4 * n})};
}

SpanScorerWeights BindSpans(const GlinerConfig& gliner, TensorBinder& binder) {
  const std::string prefix = "span_rep_layer.span_rep_layer.";
  const int64_t d = gliner.width;
  const bool marker = gliner.span_mode == SpanMode::kMarker;
  const int64_t inner = marker ? 2 * d : 4 * d;
  SpanScorerWeights weights;
  weights.start = BindMlp(prefix + "project_start", d, inner, d, binder);
  weights.end = BindMlp(prefix + "project_end", d, inner, d, binder);
  if (marker) {
    weights.span.first = binder.Linear(prefix + "out_project", d, 2 * d);
    return weights;
  }
  const int64_t parts = gliner.span_mode == SpanMode::kMarkerV1 ? 3 : 2;
  weights.span = BindMlp(prefix + "out_project", parts * d, inner, d, binder);
  return weights;
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
    weights.lstm.push_back({BindDirection(i, "", d, d / 2, binder),
                            BindDirection(i, "_reverse", d, d / 2, binder)});
  }
  const LabelHeadKind kind = gliner.head.kind;
  if (kind != LabelHeadKind::kTokens) weights.spans = BindSpans(gliner, binder);
  if (kind == LabelHeadKind::kSpans) {
    weights.prompt = BindMlp("prompt_rep_layer", d, 4 * d, d, binder);
  } else {
    weights.tokens =
        TokenScorerWeights{binder.Linear("scorer.proj_token", 2 * d, d),
                           binder.Linear("scorer.proj_label", 2 * d, d),
                           BindMlp("scorer.out_mlp", 3 * d, 4 * d, 3, binder)};
  }
  return weights;
}

std::vector<const TensorView*> TensorsOf(const GlinerWeights& weights) {
  std::vector<const TensorView*> all;
  const auto linear = [&all](const LinearWeights& part) {
    for (const TensorView* tensor : {part.weight, part.bias}) {
      if (tensor != nullptr) all.push_back(tensor);
    }
  };
  const auto mlp = [&linear](const MlpWeights& part) {
    linear(part.first);
    linear(part.second);
  };
  if (weights.fuser.has_value()) {
    linear(weights.fuser->squeeze);
    mlp(weights.fuser->gates);
    linear(weights.fuser->output);
  }
  linear(weights.projection);
  for (const BidirectionalLstmWeights& layer : weights.lstm) {
    for (const LstmWeights* part : {&layer.forward, &layer.backward}) {
      all.insert(all.end(), {part->input, part->state, part->input_bias,
                             part->state_bias});
    }
  }
  if (weights.spans.has_value()) {
    mlp(weights.spans->start);
    mlp(weights.spans->end);
    mlp(weights.spans->span);
  }
  mlp(weights.prompt);
  if (weights.tokens.has_value()) {
    linear(weights.tokens->token);
    linear(weights.tokens->label);
    mlp(weights.tokens->scores);
  }
  return all;
}

}  // namespace deberta::model
