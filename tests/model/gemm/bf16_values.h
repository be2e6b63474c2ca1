// bfloat16 by its definition, for the tests of layers.

#ifndef TESTS_MODEL_GEMM_BF16_VALUES_H_
#define TESTS_MODEL_GEMM_BF16_VALUES_H_

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "model/gemm/bf16.h"

namespace deberta::model {

// Half a unit in the last of eight places, of the value: what rounding adds.
inline constexpr double kBf16Rounding = 1.0 / 256;

inline float FromBf16(Bf16 value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16);
}

// The nearest of eight significant bits, ties to even. For numbers of normal
// size.
inline float RoundedToBf16(float value) {
  int exponent = 0;
  const float fraction = std::frexp(value, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8);
}

inline std::vector<float> RoundedToBf16(std::span<const float> values) {
  std::vector<float> rounded;
  for (const float value : values) rounded.push_back(RoundedToBf16(value));
  return rounded;
}

inline std::vector<Bf16> AsBf16(std::span<const float> values) {
  std::vector<Bf16> result(values.size());
  ToBf16(values, result.data());
  return result;
}

inline std::vector<float> AsFloats(std::span<const Bf16> values) {
  std::vector<float> floats;
  for (const Bf16 value : values) floats.push_back(FromBf16(value));
  return floats;
}

}  // namespace deberta::model

#endif  // TESTS_MODEL_GEMM_BF16_VALUES_H_
