#include "model/layers/activation.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/layers/activation.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// x (1/2 + c P(c^2)), c = x within +-4.5, where c P(c^2) fits erf(c / sqrt 2)
// / 2: minimax with the weight |x|, and exactly 1/2 at the end, up to rounding.
template <class D>
HWY_INLINE hn::Vec<D> PolynomialGelu(D d, hn::Vec<D> x) {
  constexpr float kCoefficients[] = {
      1.58025742e-07f, -4.43168528e-06f, 8.12097205e-05f, -0.00103625329f,
      0.00958065409f,  -0.0659772679f,   0.398708582f};
  const auto c = hn::Max(hn::Min(x, hn::Set(d, 4.5f)), hn::Set(d, -4.5f));
  const auto square = hn::Mul(c, c);
  auto p = hn::MulAdd(hn::Set(d, 3.00000788e-11f), square,
                      hn::Set(d, -3.28391292e-09f));
  for (const float coefficient : kCoefficients) {
    p = hn::MulAdd(p, square, hn::Set(d, coefficient));
  }
  return hn::Mul(x, hn::MulAdd(c, p, hn::Set(d, 0.5f)));
}

void GeluInPlace(float* values, size_t n) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(PolynomialGelu(d, hn::LoadU(d, values + i)), d, values + i);
  }
  const hn::CappedTag<float, 1> one;
  for (; i < n; ++i) {
    hn::StoreU(PolynomialGelu(one, hn::LoadU(one, values + i)), one,
               values + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace deberta::model {

HWY_EXPORT(GeluInPlace);

namespace {

constexpr float kSqrt1_2 = std::numbers::sqrt2_v<float> / 2;
constexpr float kSqrt2OverPi = 0.7978845608f;

float Gelu(float x) { return 0.5f * x * (1 + std::erf(x * kSqrt1_2)); }

float GeluTanh(float x) {
  return 0.5f * x * (1 + std::tanh(kSqrt2OverPi * (x + 0.044715f * x * x * x)));
}

float Sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

// log(1 + e^x) without overflow.
float SoftPlus(float x) {
  return std::max(x, 0.0f) + std::log1p(std::exp(-std::abs(x)));
}

}  // namespace

float Activate(Activation activation, float x) {
  switch (activation) {
    case Activation::kGelu:
      return Gelu(x);
    case Activation::kGeluTanh:
    case Activation::kGeluFast:
      return GeluTanh(x);
    case Activation::kQuickGelu:
      return x * Sigmoid(1.702f * x);
    case Activation::kGelu10:
      return std::clamp(Gelu(x), -10.0f, 10.0f);
    case Activation::kRelu:
      return std::max(x, 0.0f);
    case Activation::kRelu2:
      return x > 0 ? x * x : 0.0f;
    case Activation::kRelu6:
      return std::clamp(x, 0.0f, 6.0f);
    case Activation::kSilu:
      return x * Sigmoid(x);
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSigmoid:
      return Sigmoid(x);
    case Activation::kLinear:
      return x;
    case Activation::kLeakyRelu:
      return x >= 0 ? x : 0.01f * x;
    case Activation::kMish:
      return x * std::tanh(SoftPlus(x));
  }
  return x;
}

void ApplyActivation(Activation activation, std::span<float> values) {
  if (activation == Activation::kLinear) return;
  for (float& value : values) value = Activate(activation, value);
}

void ApplyActivationFast(Activation activation, std::span<float> values) {
  if (activation == Activation::kGelu) {
    HWY_DYNAMIC_DISPATCH(GeluInPlace)(values.data(), values.size());
  } else {
    ApplyActivation(activation, values);
  }
}

}  // namespace deberta::model

#endif  // HWY_ONCE
