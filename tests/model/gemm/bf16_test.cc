#include "model/gemm/bf16.h"

#include <limits>

#include "gtest/gtest.h"
#include "tests/model/gemm/bf16_values.h"
#include "tests/model/random_floats.h"

namespace deberta::model {
namespace {

TEST(Bf16Test, RoundsToNearestForAllCounts) {
  for (size_t n = 1; n <= 70; ++n) {
    const auto values = RandomFloats(n, static_cast<uint32_t>(n));
    EXPECT_EQ(AsFloats(AsBf16(values)), RoundedToBf16(values)) << n;
  }
}

TEST(Bf16Test, TiesGoToEven) {
  const float ulp = 1.0f / 128;
  const std::vector<float> values = {1 + ulp / 2, 1 + 3 * ulp / 2, -1 - ulp / 2,
                                     -1 - 3 * ulp / 2, 2 - ulp / 2};
  const std::vector<float> expected = {1, 1 + 2 * ulp, -1, -1 - 2 * ulp, 2};
  EXPECT_EQ(AsFloats(AsBf16(values)), expected);
}

TEST(Bf16Test, KeepsWhatIsNoNumber) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (size_t n : {1u, 32u}) {
    std::vector<float> values(n, infinity);
    EXPECT_EQ(AsFloats(AsBf16(values)), values);
    // The largest float rounds up to infinity.
    values.assign(n, std::numeric_limits<float>::max());
    EXPECT_EQ(AsFloats(AsBf16(values)), std::vector<float>(n, infinity));
    // Only the lowest bit, and all bits, tell these from infinity.
    for (const uint32_t bits : {0x7f800001u, 0xffffffffu}) {
      values.assign(n, std::bit_cast<float>(bits));
      for (const float value : AsFloats(AsBf16(values))) {
        EXPECT_TRUE(std::isnan(value)) << bits;
      }
    }
  }
}

}  // namespace
}  // namespace deberta::model
