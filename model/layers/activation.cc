#include "model/layers/activation.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace deberta::model {
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

}  // namespace deberta::model
