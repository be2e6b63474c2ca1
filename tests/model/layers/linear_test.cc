#include "model/layers/linear.h"

#include <cstring>
#include <string>

#include "gtest/gtest.h"
#include "model/gemm/int8.h"
#include "model/layers/activation.h"
#include "model/runtime/isa.h"
#include "tests/model/gemm/bf16_values.h"
#include "tests/model/random_floats.h"
#include "tests/reference/layers.h"

namespace deberta::model {
namespace {

class LinearTest : public testing::TestWithParam<Products> {
 protected:
  Linear Pack(size_t in, size_t out, Activation activation,
              Precision precision = Precision::kFp32) {
    weight_ = RandomFloats(in * out, 1);
    bias_ = RandomFloats(out, 2);
    auto linear = Linear::Pack(
        {.out = out,
         .in = in,
         .read_row =
             [this, in](size_t row, std::span<float> values) {
               std::copy_n(weight_.data() + row * in, in, values.data());
             },
         .bias = bias_,
         .activation = activation,
         .precision = precision},
        gemms_, workspace_);
    EXPECT_TRUE(linear.ok()) << linear.status();
    return *std::move(linear);
  }

  // `rows` rows of x from `first`; what stands behind them is no number.
  std::vector<float> Run(const Linear& linear, std::span<const float> x,
                         size_t first, size_t rows) {
    std::vector<float> padded(Linear::PaddedRows(rows) * linear.in(), NAN);
    std::copy_n(x.data() + first * linear.in(), rows * linear.in(),
                padded.data());
    std::vector<float> y(rows * linear.out());
    linear.Forward(padded.data(), rows, y.data(), workspace_);
    return y;
  }

  // As above with Bf16 in and out.
  std::vector<float> RunBf16In(const Linear& linear, std::span<const float> x,
                               size_t rows) {
    std::vector<Bf16> padded = AsBf16(x);
    padded.resize(Linear::PaddedRows(rows) * linear.in());
    std::vector<float> y(rows * linear.out());
    linear.Forward(padded.data(), rows, y.data(), workspace_);
    return y;
  }
  std::vector<float> RunBf16Out(const Linear& linear, std::span<const float> x,
                                size_t rows) {
    std::vector<Bf16> y(rows * linear.out());
    linear.Forward(x.data(), rows, y.data(), workspace_);
    return AsFloats(y);
  }

  void ExpectRowsIndependent(Precision precision) {
    if (GetParam() == Products::kOneDnn && precision != Precision::kInt8) {
      GTEST_SKIP() << "oneDNN promises no order";
    }
    const size_t in = 768;
    const Linear linear = Pack(in, 320, Activation::kLinear, precision);
    const size_t rows = 600;
    const auto x = RandomFloats(rows * in, 4);
    const auto all = Run(linear, x, 0, rows);
    for (size_t count = 1; count <= 300; count += count < 70 ? 1 : 23) {
      const size_t first = rows - count;
      const auto some = Run(linear, x, first, count);
      const float* same = all.data() + first * linear.out();
      EXPECT_EQ(std::memcmp(some.data(), same, some.size() * sizeof(float)), 0)
          << count;
    }
  }

  std::vector<float> weight_;
  std::vector<float> bias_;
  GemmTable gemms_{GetParam()};
  Workspace workspace_{2};
};

class Bf16LinearTest : public LinearTest {
 protected:
  void SetUp() override {
    if (!HasBf16Products()) GTEST_SKIP() << "models use fp32 here";
  }
};

TEST_P(LinearTest, MatchesTheFormula) {
  const std::pair<size_t, size_t> shapes[] = {{1, 1},   {7, 3},    {32, 96},
                                              {36, 48}, {48, 36},  {64, 200},
                                              {768, 2}, {100, 300}};
  for (const auto& [in, out] : shapes) {
    for (const auto activation :
         {Activation::kLinear, Activation::kGelu, Activation::kTanh}) {
      const Linear linear = Pack(in, out, activation);
      for (const size_t rows : {1u, 9u, 70u, 300u}) {
        const auto x = RandomFloats(rows * in, 3);
        auto expected = reference::Linear(x, weight_, bias_, in);
        for (double& y : expected) {
          y = activation == Activation::kLinear ? y
              : activation == Activation::kTanh
                  ? std::tanh(y)
                  : 0.5 * y * (1 + std::erf(y / std::sqrt(2.0)));
        }
        // sqrt(in) terms of about one, each rounded.
        EXPECT_LT(WorstError(Run(linear, x, 0, rows), expected),
                  2e-6 * static_cast<double>(in + 8))
            << in << " x " << out << ", " << rows << " rows";
      }
    }
  }
}

// Against the formula on rounded x and W, whose products are exact in fp32.
TEST_P(Bf16LinearTest, MatchesTheFormulaOnRoundedFactors) {
  const std::pair<size_t, size_t> shapes[] = {{1, 1},    {7, 3},   {36, 48},
                                              {64, 200}, {768, 2}, {100, 300}};
  for (const auto& [in, out] : shapes) {
    for (const auto activation : {Activation::kLinear, Activation::kGelu}) {
      const Linear linear = Pack(in, out, activation, Precision::kBf16);
      for (const size_t rows : {1u, 9u, 70u, 300u}) {
        const auto x = RandomFloats(rows * in, 3);
        auto expected = reference::Linear(RoundedToBf16(x),
                                          RoundedToBf16(weight_), bias_, in);
        const double sums = 2e-6 * static_cast<double>(in + 8);
        double polynomial = 0;
        if (activation == Activation::kGelu) {
          for (double& y : expected) {
            polynomial = std::max(polynomial, 1e-4 + 1e-5 * std::abs(y));
            y = 0.5 * y * (1 + std::erf(y / std::sqrt(2.0)));
          }
        }
        const auto actual = Run(linear, x, 0, rows);
        EXPECT_LT(WorstError(actual, expected), sums + polynomial)
            << in << " x " << out << ", " << rows << " rows";
        EXPECT_EQ(RunBf16In(linear, x, rows), actual);
        EXPECT_EQ(RunBf16Out(linear, x, rows), RoundedToBf16(actual));
      }
    }
  }
}

TEST_P(LinearTest, ARowDoesNotDependOnItsCompany) {
  ExpectRowsIndependent(Precision::kFp32);
}

// What int8 computes, by its definition: exact sums of rounded factors.
std::vector<double> Int8Formula(std::span<const float> x,
                                std::span<const float> weight,
                                std::span<const float> bias, size_t in) {
  const int limit = HasInt8Products() ? 127 : 64;
  const size_t rows = x.size() / in;
  std::vector<uint8_t> x_bytes(x.size());
  std::vector<int8_t> w_bytes(weight.size());
  std::vector<double> expected;
  for (size_t r = 0; r < rows; ++r) {
    const QuantizedRow row =
        QuantizeRow(x.subspan(r * in, in), x_bytes.data() + r * in);
    for (size_t o = 0; o < bias.size(); ++o) {
      int8_t* w = w_bytes.data() + o * in;
      const double scale =
          QuantizeWeight(weight.subspan(o * in, in), limit, w).scale;
      int64_t sum = 0;
      for (size_t k = 0; k < in; ++k) {
        sum += (x_bytes[r * in + k] - row.zero) * w[k];
      }
      expected.push_back(static_cast<double>(sum) * row.scale * scale +
                         bias[o]);
    }
  }
  return expected;
}

TEST_P(LinearTest, Int8MatchesTheFormulaOnRoundedFactors) {
  const std::pair<size_t, size_t> shapes[] = {{1, 1},    {7, 3},   {36, 48},
                                              {64, 200}, {768, 2}, {100, 300}};
  for (const auto& [in, out] : shapes) {
    const Linear linear = Pack(in, out, Activation::kLinear, Precision::kInt8);
    for (const size_t rows : {1u, 9u, 70u, 300u}) {
      const auto x = RandomFloats(rows * in, 3);
      const auto actual = Run(linear, x, 0, rows);
      const auto expected = Int8Formula(x, weight_, bias_, in);
      // Values of some sqrt(in), rounded three times.
      EXPECT_LT(WorstError(actual, expected),
                1e-6 * static_cast<double>(in + 8))
          << in << " x " << out << ", " << rows << " rows";
      EXPECT_EQ(RunBf16Out(linear, x, rows), RoundedToBf16(actual));
      const auto rounded = RoundedToBf16(x);
      EXPECT_EQ(RunBf16In(linear, x, rows), Run(linear, rounded, 0, rows));
    }
  }
}

// Sums of pairs of the largest products leave 16 bits.
TEST_P(LinearTest, Int8DoesNotSaturate) {
  const size_t in = 768;
  Linear::Source source;
  source.out = 16;
  source.in = in;
  source.precision = Precision::kInt8;
  source.read_row = [](size_t row, std::span<float> values) {
    std::fill(values.begin(), values.end(), row % 2 == 0 ? 1.0f : -1.0f);
  };
  const auto linear = Linear::Pack(source, gemms_, workspace_);
  ASSERT_TRUE(linear.ok()) << linear.status();
  for (const size_t rows : {1u, 20u, 300u}) {
    const std::vector<float> x(rows * in, 1.0f);
    const auto y = Run(*linear, x, 0, rows);
    for (size_t i = 0; i < y.size(); ++i) {
      EXPECT_NEAR(y[i], i % 2 == 0 ? 768 : -768, 1e-3) << rows;
    }
  }
}

// Sums are exact, and what follows them is ours.
TEST_P(LinearTest, Int8IsTheSameByWhicheverProducts) {
  const size_t in = 768;
  const size_t rows = 70;
  const auto x = RandomFloats(rows * in, 3);
  const Linear linear = Pack(in, 200, Activation::kGelu, Precision::kInt8);
  const auto actual = Run(linear, x, 0, rows);
  gemms_ = GemmTable(Products::kOwn);
  const Linear own = Pack(in, 200, Activation::kGelu, Precision::kInt8);
  EXPECT_EQ(actual, Run(own, x, 0, rows));
}

TEST_P(LinearTest, AnInt8RowDoesNotDependOnItsCompany) {
  ExpectRowsIndependent(Precision::kInt8);
}

TEST_P(Bf16LinearTest, ARowDoesNotDependOnItsCompany) {
  ExpectRowsIndependent(Precision::kBf16);
}

TEST_P(LinearTest, FirstColumnsAreThoseOfAll) {
  const size_t in = 48;
  const size_t out = 200;
  const Linear linear = Pack(in, out, Activation::kTanh);
  for (const size_t rows : {1u, 9u, 300u}) {
    const auto x = RandomFloats(Linear::PaddedRows(rows) * in, 5);
    const auto all = Run(linear, x, 0, rows);
    for (const size_t columns : {1u, 64u, 65u, 200u}) {
      // One more, to see it stay.
      std::vector<float> first(rows * columns + 1, -9.0f);
      linear.ForwardFirst(x.data(), rows, columns, first.data(), workspace_);
      EXPECT_EQ(first.back(), -9.0f);
      for (size_t i = 0; i + 1 < first.size(); ++i) {
        EXPECT_EQ(first[i], all[i / columns * out + i % columns])
            << columns << " columns";
      }
    }
  }
}

TEST_P(LinearTest, WorksWithoutBias) {
  Linear::Source identity;
  identity.out = 16;
  identity.in = 16;
  identity.read_row = [](size_t row, std::span<float> values) {
    values[row] = 1.0f;
  };
  const auto linear = Linear::Pack(identity, gemms_, workspace_);
  ASSERT_TRUE(linear.ok());
  const auto x = RandomFloats(5 * 16, 6);
  EXPECT_EQ(Run(*linear, x, 0, 5), x);
}

INSTANTIATE_TEST_SUITE_P(All, LinearTest,
                         testing::Values(Products::kAuto, Products::kOwn,
                                         Products::kOneDnn),
                         [](const auto& products) {
                           return std::string(ProductsName(products.param));
                         });

INSTANTIATE_TEST_SUITE_P(All, Bf16LinearTest,
                         testing::Values(Products::kAuto, Products::kOwn,
                                         Products::kOneDnn),
                         [](const auto& products) {
                           return std::string(ProductsName(products.param));
                         });

}  // namespace
}  // namespace deberta::model
