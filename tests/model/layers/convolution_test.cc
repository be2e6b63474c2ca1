#include "model/layers/convolution.h"

#include "gtest/gtest.h"
#include "tests/model/random_floats.h"
#include "tests/reference/layers.h"

namespace deberta::model {
namespace {

TEST(ConvolutionTest, MatchesTheFormulaWithinEachSequence) {
  Workspace workspace(2);
  const size_t hidden = 24;
  for (const size_t kernel : {1u, 3u, 5u}) {
    for (const size_t groups : {1u, 4u}) {
      const auto weight = RandomFloats(hidden * hidden / groups * kernel, 1);
      const auto bias = RandomFloats(hidden, 2);
      GemmTable gemms(Products::kOwn);
      auto linear = Linear::Pack(Convolution::Rows(weight, bias, hidden, groups,
                                                   kernel, Activation::kLinear),
                                 gemms, workspace);
      ASSERT_TRUE(linear.ok());
      const Convolution convolution = {*std::move(linear), LayerNorm(), kernel};
      const std::vector<uint32_t> starts = {0, 1, 3, 40, 1500};
      const auto x = RandomFloats(starts.back() * hidden, 3);
      std::vector<float> y(x.size());
      convolution.Forward(x.data(), starts, y.data(), workspace);
      for (size_t s = 0; s + 1 < starts.size(); ++s) {
        const size_t from = starts[s] * hidden;
        const size_t count = (starts[s + 1] - starts[s]) * hidden;
        const auto expected = reference::Convolution(
            std::span(x).subspan(from, count), weight, bias, groups, kernel);
        EXPECT_LT(WorstError(std::span(y).subspan(from, count), expected), 1e-4)
            << "kernel " << kernel << ", groups " << groups;
      }
    }
  }
}

}  // namespace
}  // namespace deberta::model
