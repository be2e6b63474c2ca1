#include "model/layers/activation.h"

#include <cmath>

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

}  // namespace
}  // namespace deberta::model
