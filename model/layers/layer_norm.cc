#include "model/layers/layer_norm.h"

#include <cmath>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/layers/layer_norm.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;

// y = x + residual; returns the sum of y.
float AddAndSum(const float* x, const float* residual, size_t width, float* y) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  auto sums = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= width; i += lanes) {
    auto z = hn::LoadU(d, x + i);
    if (residual != nullptr) z = hn::Add(z, hn::LoadU(d, residual + i));
    hn::StoreU(z, d, y + i);
    sums = hn::Add(sums, z);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  for (; i < width; ++i) {
    y[i] = residual == nullptr ? x[i] : x[i] + residual[i];
    sum += y[i];
  }
  return sum;
}

struct Moments {
  float mean;
  float variance;
};

// Two passes, the second correcting the rounding of the first one's mean.
Moments MomentsOf(const float* y, float rough_mean, size_t width) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  const auto means = hn::Set(d, rough_mean);
  auto sums = hn::Zero(d);
  auto squares = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= width; i += lanes) {
    const auto centred = hn::Sub(hn::LoadU(d, y + i), means);
    sums = hn::Add(sums, centred);
    squares = hn::MulAdd(centred, centred, squares);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  float square = hn::GetLane(hn::SumOfLanes(d, squares));
  for (; i < width; ++i) {
    const float centred = y[i] - rough_mean;
    sum += centred;
    square += centred * centred;
  }
  const float correction = sum / static_cast<float>(width);
  const float variance =
      square / static_cast<float>(width) - correction * correction;
  return {rough_mean + correction, variance > 0 ? variance : 0};
}

void NormalizeRow(const float* x, const float* residual, const float* weight,
                  const float* bias, float epsilon, size_t width, float* y) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  const float rough_mean =
      AddAndSum(x, residual, width, y) / static_cast<float>(width);
  const Moments moments = MomentsOf(y, rough_mean, width);
  const float scale = 1 / std::sqrt(moments.variance + epsilon);
  const auto means = hn::Set(d, moments.mean);
  const auto scales = hn::Set(d, scale);
  size_t i = 0;
  for (; i + lanes <= width; i += lanes) {
    const auto z = hn::Mul(hn::Sub(hn::LoadU(d, y + i), means), scales);
    hn::StoreU(hn::MulAdd(z, hn::LoadU(d, weight + i), hn::LoadU(d, bias + i)),
               d, y + i);
  }
  for (; i < width; ++i) {
    y[i] = (y[i] - moments.mean) * scale * weight[i] + bias[i];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace deberta::model {

HWY_EXPORT(NormalizeRow);

namespace {

constexpr size_t kRowsPerTask = 16;

}  // namespace

LayerNorm::LayerNorm(std::vector<float> weight, std::vector<float> bias,
                     float epsilon)
    : weight_(std::move(weight)), bias_(std::move(bias)), epsilon_(epsilon) {}

void LayerNorm::Forward(const float* x, const float* residual, size_t rows,
                        float* y, ThreadPool& pool) const {
  const auto normalize = HWY_DYNAMIC_DISPATCH(NormalizeRow);
  pool.ParallelForRanges(
      rows, kRowsPerTask, [&](size_t begin, size_t end, int) {
        for (size_t row = begin; row < end; ++row) {
          const size_t at = row * width();
          normalize(x + at, residual == nullptr ? nullptr : residual + at,
                    weight_.data(), bias_.data(), epsilon_, width(), y + at);
        }
      });
}

}  // namespace deberta::model

#endif  // HWY_ONCE
