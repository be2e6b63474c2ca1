#include "model/layers/int8.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "tests/model/layers/bf16_values.h"
#include "tests/model/layers/random_floats.h"

namespace deberta::model {
namespace {

float Largest(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

TEST(Int8Test, RowsAreRoundedToTheNearestStep) {
  for (size_t n = 1; n <= 70; ++n) {
    auto values = RandomFloats(n, static_cast<uint32_t>(n));
    values = RoundedToBf16(values);
    std::vector<uint8_t> bytes(n);
    const float scale =
        QuantizeRow(std::span<const float>(values), bytes.data());
    EXPECT_FLOAT_EQ(scale, Largest(values) / 127);
    for (size_t i = 0; i < n; ++i) {
      EXPECT_NEAR((bytes[i] - 128) * scale, values[i], scale * 0.5001f);
    }
    std::vector<uint8_t> same(n);
    const auto halves = AsBf16(values);
    EXPECT_EQ(QuantizeRow(std::span(halves), same.data()), scale);
    EXPECT_EQ(same, bytes);
  }
}

TEST(Int8Test, RowsOfZerosAndOfNoNumbers) {
  for (const size_t n : {1u, 40u}) {
    std::vector<float> values(n, 0.0f);
    std::vector<uint8_t> bytes(n);
    EXPECT_EQ(QuantizeRow(std::span<const float>(values), bytes.data()), 0);
    EXPECT_EQ(bytes, std::vector<uint8_t>(n, 128));
    // Whatever is computed of such a row must not look like a number.
    for (const float value : {std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN()}) {
      for (size_t i = 0; i < n; i += 13) {
        values.assign(n, 1.0f);
        values[i] = value;
        EXPECT_TRUE(std::isnan(
            QuantizeRow(std::span<const float>(values), bytes.data())));
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
    EXPECT_EQ(weight.offset, 128 * sum);
    EXPECT_EQ(largest, limit);
  }
  const std::vector<float> broken = {1, std::nanf(""), 1};
  std::vector<int8_t> bytes(3);
  EXPECT_TRUE(std::isnan(QuantizeWeight(broken, 127, bytes.data()).scale));
}

}  // namespace
}  // namespace deberta::model
