#include "server/batching/cost_model.h"

#include <algorithm>

namespace deberta::server {
namespace {

// Weight of the newest batch in the running correction.
constexpr double kSmoothing = 0.1;
// One batch says at most so much: a thread that was put aside by the system
// makes some take many times their time.
constexpr double kMostStep = 3;
constexpr double kLeastScale = 0.01;
constexpr double kMostScale = 100;

// The slope between two points of (tokens, seconds / tokens), not below 0.
double Slope(double x0, double y0, double x1, double y1) {
  return x1 > x0 ? std::max(0.0, (y1 - y0) / (x1 - x0)) : 0.0;
}

}  // namespace

CostModel CostModel::Through(std::span<const Sample> samples) {
  CostModel model;
  if (samples.empty()) return model;
  const auto tokens = [&](size_t i) {
    return static_cast<double>(samples[i].tokens);
  };
  const auto slope = [&](size_t a, size_t b) {
    return Slope(tokens(a), samples[a].seconds, tokens(b), samples[b].seconds);
  };
  const size_t last = samples.size() - 1;
  if (last == 0) {
    model.per_token_ = samples[0].seconds / tokens(0);
    return model;
  }
  // Newton's form; what noise bends downwards is a straight line.
  const double first = slope(0, 1);
  if (last >= 2) {
    model.per_pair_ =
        std::max(0.0, (slope(1, 2) - first) / (tokens(2) - tokens(0)));
  }
  model.per_token_ = first - model.per_pair_ * (tokens(0) + tokens(1));
  if (model.per_token_ <= 0) {
    model.per_pair_ = 0;
    model.per_token_ = slope(0, last);
  }
  if (model.per_token_ <= 0) {
    model.per_token_ = samples[last].seconds / tokens(last);
  }
  model.per_batch_ =
      std::max(0.0, samples[0].seconds - model.per_token_ * tokens(0) -
                        model.per_pair_ * tokens(0) * tokens(0));
  return model;
}

double CostModel::Seconds(size_t tokens, size_t head_tokens) const {
  const auto n = static_cast<double>(tokens);
  return scale_ * (per_token_ * (n + static_cast<double>(head_tokens)) +
                   per_pair_ * n * n);
}

void CostModel::Doubt() { scale_ += kSmoothing * (1 - scale_); }

void CostModel::Slow(double times) {
  scale_ = std::clamp(scale_ * times, kLeastScale, kMostScale);
}

void CostModel::Correct(double predicted, double taken) {
  if (predicted <= 0 || taken <= 0) return;
  const double ratio = std::clamp(taken / predicted, 1 / kMostStep, kMostStep);
  scale_ = std::clamp(scale_ * (1 + kSmoothing * (ratio - 1)), kLeastScale,
                      kMostScale);
}

}  // namespace deberta::server
