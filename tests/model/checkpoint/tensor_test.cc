#include "model/checkpoint/tensor.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/model/checkpoint/model_directory.h"

namespace deberta::model {
namespace {

using testing::ElementsAre;

template <typename T>
std::string BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()),
          values.size() * sizeof(T)};
}

// The definition, by exponent and fraction.
float Binary16(uint16_t bits) {
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  if (exponent == 31) {
    return fraction != 0 ? std::numeric_limits<float>::quiet_NaN()
                         : static_cast<float>(
                               sign * std::numeric_limits<double>::infinity());
  }
  const double magnitude = exponent == 0
                               ? std::ldexp(fraction, -24)
                               : std::ldexp(1024 + fraction, exponent - 25);
  return static_cast<float>(sign * magnitude);
}

TEST(ReadFloatsTest, ConvertsEveryHalfExactly) {
  std::vector<uint16_t> halves(1 << 16);
  for (size_t i = 0; i < halves.size(); ++i) {
    halves[i] = static_cast<uint16_t>(i);
  }
  const std::string bytes = BytesOf(halves);
  const auto values = ReadFloats({DType::kF16, {1 << 16}, AsBytes(bytes)});
  for (size_t i = 0; i < halves.size(); ++i) {
    const float expected = Binary16(halves[i]);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(values[i])) << i;
    } else {
      EXPECT_EQ(std::bit_cast<uint32_t>(values[i]),
                std::bit_cast<uint32_t>(expected))
          << i;
    }
  }
}

TEST(ReadFloatsTest, ReadsARangeAtAnyAlignment) {
  const std::vector<float> floats = {1.0f, -2.5f, 1e-40f, 3.0f};
  const std::string padded = "x" + BytesOf(floats);
  const TensorView tensor{DType::kF32, {4}, AsBytes(padded).subspan(1)};
  std::vector<float> two(2);
  ReadFloats(tensor, 1, two);
  EXPECT_THAT(two, ElementsAre(-2.5f, 1e-40f));

  const std::string brain =
      "x" + BytesOf(std::vector<uint16_t>{0x3f80, 0xc020, 0x0001});
  EXPECT_THAT(
      ReadFloats({DType::kBF16, {3}, AsBytes(brain).subspan(1)}),
      ElementsAre(1.0f, -2.5f, std::bit_cast<float>(uint32_t{0x00010000})));

  const std::string wide = "x" + BytesOf(std::vector<double>{0.1, -4.0});
  EXPECT_THAT(ReadFloats({DType::kF64, {2}, AsBytes(wide).subspan(1)}),
              ElementsAre(0.1f, -4.0f));
}

TEST(ShapeTextTest, ListsSizes) {
  EXPECT_EQ(ShapeText(std::vector<int64_t>{2, 3}), "[2, 3]");
  EXPECT_EQ(ShapeText({}), "[]");
}

}  // namespace
}  // namespace deberta::model
