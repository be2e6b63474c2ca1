#include "model/weights/gliclass_weights.h"

#include <string>

namespace deberta::model {
namespace {

constexpr int64_t kMlpWidth = 256;
constexpr char kScorer[] = "model.scorer.";

MlpWeights BindProjector(const std::string& name, int64_t hidden, int64_t width,
                         TensorBinder& binder) {
  return {binder.Linear(name + ".linear_1", width, hidden),
          binder.Linear(name + ".linear_2", hidden, width)};
}

}  // namespace

GliclassWeights BindGliclass(const Config& config,
                             const GliclassConfig& gliclass,
                             TensorBinder& binder) {
  const int64_t hidden = config.hidden_size;
  const std::string scorer = kScorer;
  GliclassWeights weights;
  if (gliclass.runs_lstm) {
    weights.lstm = BindLstm("model.lstm.lstm", 0, hidden, hidden / 2, binder);
  }
  weights.text =
      BindProjector("model.text_projector", hidden, gliclass.width, binder);
  weights.labels =
      BindProjector("model.classes_projector", hidden, gliclass.width, binder);
  if (gliclass.normalizes)
    weights.logit_scale = binder.Tensor("model.logit_scale", {});
  switch (gliclass.scorer) {
    case ClassScorer::kDot:
      return weights;
    case ClassScorer::kWeightedDot:
      weights.weighted_dot = TokenScorerWeights{
          binder.Linear(scorer + "proj_text", 2 * hidden, hidden),
          binder.Linear(scorer + "proj_label", 2 * hidden, hidden),
          BindMlp(scorer + "out_mlp", {3 * hidden, 4 * hidden, 1}, /*second=*/3,
                  binder)};
      return weights;
    case ClassScorer::kHopfield:
      for (size_t i = 0; i < weights.hopfield.size(); ++i) {
        const char* names[] = {"q_proj", "k_proj", "v_proj"};
        weights.hopfield[i].weight =
            binder.Tensor(scorer + names[i] + ".weight", {hidden, hidden});
      }
      break;
    case ClassScorer::kMlp:
      break;
  }
  const int64_t in = gliclass.scorer == ClassScorer::kMlp ? 2 * hidden : hidden;
  weights.mlp = {binder.Linear(scorer + "mlp.0", kMlpWidth, in),
                 binder.Linear(scorer + "mlp.2", kMlpWidth / 2, kMlpWidth),
                 binder.Linear(scorer + "mlp.4", 1, kMlpWidth / 2)};
  return weights;
}

}  // namespace deberta::model
