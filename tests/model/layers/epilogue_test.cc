#include "model/layers/epilogue.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "model/layers/activation.h"
#include "tests/model/gemm/bf16_values.h"
#include "tests/model/random_floats.h"

namespace deberta::model {
namespace {

constexpr size_t kStride = 256;
constexpr size_t kRows = 3;

// Sums of three rows with all that goes with their columns.
struct Case {
  explicit Case(float spread) {
    const auto random = RandomFloats(kRows * kStride, 7);
    for (const float value : random) {
      floats.push_back(spread * value);
      integers.push_back(static_cast<int32_t>(1e5f * value));
    }
    for (size_t c = 0; c < kStride; ++c) {
      weight_sums.push_back(static_cast<int32_t>(c * 31) - 1000);
    }
  }

  Epilogue For(Precision precision, Activation activation) const {
    Epilogue epilogue = {
        .precision = precision, .activation = activation, .bias = bias.data()};
    if (precision == Precision::kInt8) {
      epilogue.rows = rows.data();
      epilogue.scales = scales.data();
      epilogue.weight_sums = weight_sums.data();
    }
    return epilogue;
  }

  const void* Sums(Precision precision) const {
    return precision == Precision::kInt8
               ? static_cast<const void*>(integers.data())
               : floats.data();
  }

  double Before(Precision precision, size_t r, size_t c) const {
    const size_t i = r * kStride + c;
    switch (precision) {
      case Precision::kFp32:
        return floats[i];
      case Precision::kBf16:
        return double{floats[i]} + bias[c];
      case Precision::kInt8:
        return static_cast<double>(integers[i] -
                                   rows[r].zero * weight_sums[c]) *
                   rows[r].scale * scales[c] +
               bias[c];
    }
    return NAN;
  }

  std::vector<float> floats;
  std::vector<int32_t> integers;
  std::vector<int32_t> weight_sums;
  std::vector<float> bias = RandomFloats(kStride, 8);
  std::vector<float> scales = RandomFloats(kStride, 9);
  std::vector<QuantizedRow> rows = {{1e-4f, 0}, {3e-5f, 128}, {2e-4f, 17}};
};

// Columns behind the wanted ones, which may be another thread's.
constexpr float kUntouched = 77;

template <typename Out>
void ExpectFinishes(Precision precision, Activation activation,
                    size_t columns) {
  const Case sums(20);
  std::vector<float> untouched(kRows * kStride, kUntouched);
  std::vector<Out> y;
  if constexpr (std::is_same_v<Out, Bf16>) {
    y = AsBf16(untouched);
  } else {
    y = untouched;
  }
  Finish(sums.For(precision, activation), sums.Sums(precision), kStride, kRows,
         columns, y.data(), kStride);
  std::vector<float> values;
  double rounding = 0;
  if constexpr (std::is_same_v<Out, Bf16>) {
    values = AsFloats(y);
    rounding = kBf16Rounding;
  } else {
    values = y;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t c = i % kStride;
    if (c >= columns) {
      EXPECT_EQ(values[i], kUntouched) << i;
      continue;
    }
    const double x = sums.Before(precision, i / kStride, c);
    const double expected = Activate(activation, static_cast<float>(x));
    EXPECT_NEAR(values[i], expected, 1e-4 + (1e-5 + rounding) * std::abs(x))
        << i;
  }
}

TEST(EpilogueTest, MatchesTheFormula) {
  for (const Precision precision :
       {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    for (const Activation activation :
         {Activation::kLinear, Activation::kGelu, Activation::kMish}) {
      for (const size_t columns : {1u, 7u, 16u, 100u, 256u}) {
        SCOPED_TRACE(testing::Message()
                     << PrecisionName(precision) << ", activation "
                     << static_cast<int>(activation) << ", " << columns);
        ExpectFinishes<float>(precision, activation, columns);
        ExpectFinishes<Bf16>(precision, activation, columns);
      }
    }
  }
}

TEST(EpilogueTest, GeluStaysWithinItsBounds) {
  std::vector<float> values;
  for (float x = -20; x < 20; x += 1.0f / 1024) values.push_back(x);
  values.insert(values.end(), {-1000, 1000, 0});
  const std::vector<float> zeros(kStride);
  for (size_t i = 0; i < values.size(); i += kStride) {
    const size_t n = std::min(kStride, values.size() - i);
    std::vector<float> padded(values.begin() + static_cast<ptrdiff_t>(i),
                              values.begin() + static_cast<ptrdiff_t>(i + n));
    padded.resize(kStride);
    for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
      const bool exact = precision == Precision::kFp32;
      std::vector<float> y(n);
      Finish({.precision = precision,
              .activation = Activation::kGelu,
              .bias = zeros.data()},
             padded.data(), kStride, 1, n, y.data(), n);
      for (size_t k = 0; k < n; ++k) {
        const double x = padded[k];
        EXPECT_NEAR(y[k], 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))),
                    (exact ? 1e-6 : 1e-4) + (exact ? 2e-7 : 1e-5) * std::abs(x))
            << x;
      }
    }
  }
}

}  // namespace
}  // namespace deberta::model
