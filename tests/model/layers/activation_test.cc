#include "model/layers/activation.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace deberta::model {
namespace {

// Values of transformers.activations at 1.5 and -1.5.
TEST(ActivationTest, MatchesTheReference) {
  struct Case {
    Activation activation;
    float at_positive;
    float at_negative;
  };
  const Case cases[] = {
      {Activation::kGelu, 1.39978919f, -0.10021080f},
      {Activation::kGeluTanh, 1.39957154f, -0.10042842f},
      {Activation::kQuickGelu, 1.39166224f, -0.10833780f},
      {Activation::kRelu, 1.5f, 0.0f},
      {Activation::kRelu2, 2.25f, 0.0f},
      {Activation::kSilu, 1.22636175f, -0.27363825f},
      {Activation::kTanh, 0.90514827f, -0.90514827f},
      {Activation::kSigmoid, 0.81757450f, 0.18242551f},
      {Activation::kLinear, 1.5f, -1.5f},
      {Activation::kLeakyRelu, 1.5f, -0.015f},
      {Activation::kMish, 1.40337825f, -0.29809976f},
  };
  for (const Case& c : cases) {
    EXPECT_NEAR(Activate(c.activation, 1.5f), c.at_positive, 2e-6);
    EXPECT_NEAR(Activate(c.activation, -1.5f), c.at_negative, 2e-6);
  }
}

TEST(ActivationTest, Saturates) {
  EXPECT_EQ(Activate(Activation::kRelu6, 9.0f), 6.0f);
  EXPECT_EQ(Activate(Activation::kGelu10, 90.0f), 10.0f);
  EXPECT_EQ(Activate(Activation::kSigmoid, -1000.0f), 0.0f);
  EXPECT_EQ(Activate(Activation::kMish, 1000.0f), 1000.0f);
  EXPECT_EQ(std::abs(Activate(Activation::kSilu, -1000.0f)), 0.0f);
}

TEST(ActivationTest, FastGeluStaysWithinItsBounds) {
  std::vector<float> values;
  for (float x = -20; x < 20; x += 1.0f / 1024) values.push_back(x);
  values.insert(values.end(), {-1000, 1000, 0});
  for (const size_t n : {values.size(), size_t{1}, size_t{7}}) {
    auto fast = values;
    ApplyActivationFast(Activation::kGelu, std::span(fast).last(n));
    for (size_t i = values.size() - n; i < values.size(); ++i) {
      EXPECT_NEAR(fast[i], Activate(Activation::kGelu, values[i]),
                  1e-4 + 1e-5 * std::abs(values[i]))
          << values[i];
    }
  }
}

TEST(ActivationTest, FastActivationsAreTheOthersToo) {
  std::vector<float> values = {-1.5f, 0.0f, 1.5f};
  auto fast = values;
  ApplyActivation(Activation::kMish, values);
  ApplyActivationFast(Activation::kMish, fast);
  EXPECT_EQ(fast, values);
}

}  // namespace
}  // namespace deberta::model
