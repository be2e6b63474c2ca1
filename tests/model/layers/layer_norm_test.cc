#include "model/layers/layer_norm.h"

#include "gtest/gtest.h"
#include "tests/model/random_floats.h"
#include "tests/reference/layers.h"

namespace deberta::model {
namespace {

TEST(LayerNormTest, MatchesTheFormulaForAllWidths) {
  ThreadPool pool(2);
  for (const size_t width : {1u, 3u, 8u, 16u, 17u, 31u, 64u, 100u, 768u}) {
    const size_t rows = 35;
    const auto weight = RandomFloats(width, 1);
    const auto bias = RandomFloats(width, 2);
    auto x = RandomFloats(rows * width, 3);
    const auto residual = RandomFloats(rows * width, 4);
    std::vector<double> sum(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      sum[i] = static_cast<double>(x[i]) + residual[i];
    }
    const auto expected = reference::LayerNorm(sum, weight, bias, 1e-3);
    LayerNorm(weight, bias, 1e-3f)
        .Forward(x.data(), residual.data(), rows, x.data(), pool);
    EXPECT_LT(WorstError(x, expected), 1e-5) << width;
  }
}

// With E[x^2] - E[x]^2 nothing would be left of a variance of 1e-4 beside a
// mean of 1000.
TEST(LayerNormTest, KeepsSmallVarianceBesideLargeMean) {
  ThreadPool pool(1);
  const size_t width = 768;
  std::vector<float> x(width);
  std::vector<double> exact(width);
  for (size_t i = 0; i < width; ++i) {
    x[i] = 1000 + 0.0078125f * static_cast<float>(i % 4);
    exact[i] = x[i];
  }
  const std::vector<float> ones(width, 1.0f);
  const std::vector<float> zeros(width, 0.0f);
  const auto expected = reference::LayerNorm(exact, ones, zeros, 1e-7);
  std::vector<float> y(width);
  LayerNorm(ones, zeros, 1e-7f).Forward(x.data(), nullptr, 1, y.data(), pool);
  EXPECT_LT(WorstError(y, expected), 0.02);
}

TEST(LayerNormTest, ConstantRowsGiveTheBias) {
  ThreadPool pool(1);
  const std::vector<float> x(24, 3.0f);
  const auto bias = RandomFloats(24, 5);
  std::vector<float> y(24);
  LayerNorm(std::vector<float>(24, 2.0f), bias, 1e-7f)
      .Forward(x.data(), nullptr, 1, y.data(), pool);
  EXPECT_EQ(y, bias);
}

}  // namespace
}  // namespace deberta::model
