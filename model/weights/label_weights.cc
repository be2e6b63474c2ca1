#include "model/weights/label_weights.h"

#include "absl/strings/str_cat.h"

namespace deberta::model {

MlpWeights BindMlp(const std::string& name, const MlpShape& shape, int second,
                   TensorBinder& binder) {
  return {
      binder.Linear(name + ".0", shape.inner, shape.in),
      binder.Linear(absl::StrCat(name, ".", second), shape.out, shape.inner)};
}

RecurrentWeights BindRecurrent(const std::string& name, const std::string& end,
                               int64_t gates, int64_t in, int64_t n,
                               TensorBinder& binder) {
  const auto tensor = [&](const char* what) {
    return absl::StrCat(name, ".", what, end);
  };
  return {binder.Tensor(tensor("weight_ih"), {gates * n, in}),
          binder.Tensor(tensor("weight_hh"), {gates * n, n}),
          binder.Tensor(tensor("bias_ih"), {gates * n}),
          binder.Tensor(tensor("bias_hh"), {gates * n})};
}

BidirectionalLstmWeights BindLstm(const std::string& name, int64_t layer,
                                  int64_t in, int64_t n, TensorBinder& binder) {
  constexpr int64_t kGates = 4;
  const std::string end = absl::StrCat("_l", layer);
  return {BindRecurrent(name, end, kGates, in, n, binder),
          BindRecurrent(name, end + "_reverse", kGates, in, n, binder)};
}

SpanScorerWeights BindSpanScorer(const std::string& prefix, SpanMode mode,
                                 int64_t d, TensorBinder& binder) {
  constexpr int kSecond = 3;  // after an activation and dropout
  const bool marker = mode == SpanMode::kMarker;
  const int64_t inner = marker ? 2 * d : 4 * d;
  SpanScorerWeights weights;
  weights.start =
      BindMlp(prefix + "project_start", {d, inner, d}, kSecond, binder);
  weights.end = BindMlp(prefix + "project_end", {d, inner, d}, kSecond, binder);
  if (marker) {
    weights.span.first = binder.Linear(prefix + "out_project", d, 2 * d);
    return weights;
  }
  const int64_t parts = mode == SpanMode::kMarkerV1 ? 3 : 2;
  weights.span =
      BindMlp(prefix + "out_project", {parts * d, inner, d}, kSecond, binder);
  return weights;
}

}  // namespace deberta::model
