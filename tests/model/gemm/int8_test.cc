#include "model/gemm/int8.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "tests/model/gemm/bf16_values.h"
#include "tests/model/random_floats.h"

namespace deberta::model {
namespace {

float Largest(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

// Rows around 0 and rows that are nearly all of one sign.
TEST(Int8Test, RowsAreRoundedToTheNearestStep) {
  for (size_t n = 1; n <= 70; ++n) {
    for (const float shift : {0.0f, 3.0f, -3.0f}) {
      auto values = RandomFloats(n, static_cast<uint32_t>(n));
      for (float& value : values) value += shift;
      values = RoundedToBf16(values);
      std::vector<uint8_t> bytes(n);
      const QuantizedRow row =
          QuantizeRow(std::span<const float>(values), bytes.data());
      const float most = std::max(0.0f, *std::ranges::max_element(values));
      const float least = std::min(0.0f, *std::ranges::min_element(values));
      EXPECT_FLOAT_EQ(row.scale, (most - least) / 255);
      for (size_t i = 0; i < n; ++i) {
        EXPECT_NEAR(static_cast<float>(bytes[i] - row.zero) * row.scale,
                    values[i], row.scale * 0.5001f);
      }
      std::vector<uint8_t> same(n);
      const auto halves = AsBf16(values);
      const QuantizedRow other = QuantizeRow(std::span(halves), same.data());
      EXPECT_EQ(other.scale, row.scale);
      EXPECT_EQ(other.zero, row.zero);
      EXPECT_EQ(same, bytes);
    }
  }
}

TEST(Int8Test, RowsOfZerosAndOfNoNumbers) {
  for (const size_t n : {1u, 40u}) {
    std::vector<float> values(n, 0.0f);
    std::vector<uint8_t> bytes(n);
    const QuantizedRow row =
        QuantizeRow(std::span<const float>(values), bytes.data());
    EXPECT_EQ(row.scale, 0);
    EXPECT_EQ(bytes, std::vector<uint8_t>(n, static_cast<uint8_t>(row.zero)));
    // Whatever is computed of such a row must not look like a number.
    for (const float value : {std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN()}) {
      for (size_t i = 0; i < n; i += 13) {
        values.assign(n, 1.0f);
        values[i] = value;
        EXPECT_TRUE(std::isnan(
            QuantizeRow(std::span<const float>(values), bytes.data()).scale));
      }
    }
  }
}

TEST(Int8Test, WeightsKeepWithinTheirLimit) {
  const auto values = RandomFloats(300, 3);
  for (const int limit : {64, 127}) {
    std::vector<int8_t> bytes(values.size());
    const QuantizedWeight weight = QuantizeWeight(values, limit, bytes.data());
    EXPECT_FLOAT_EQ(weight.scale, Largest(values) / static_cast<float>(limit));
    int sum = 0;
    int largest = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_NEAR(static_cast<float>(bytes[i]) * weight.scale, values[i],
                  weight.scale * 0.5001f);
      sum += bytes[i];
      largest = std::max(largest, std::abs(bytes[i]));
    }
    EXPECT_EQ(weight.sum, sum);
    EXPECT_EQ(largest, limit);
  }
  const std::vector<float> broken = {1, std::nanf(""), 1};
  std::vector<int8_t> bytes(3);
  EXPECT_TRUE(std::isnan(QuantizeWeight(broken, 127, bytes.data()).scale));
}

}  // namespace
}  // namespace deberta::model
