// Seeded random numbers for the tests of layers.

#ifndef TESTS_MODEL_RANDOM_FLOATS_H_
#define TESTS_MODEL_RANDOM_FLOATS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <span>
#include <vector>

#include "gtest/gtest.h"

namespace deberta::model {

// N(0, 1).
inline std::vector<float> RandomFloats(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& value : values) value = normal(random);
  return values;
}

// Largest difference, NaN counting as infinite.
inline double WorstError(std::span<const float> actual,
                         std::span<const double> expected) {
  EXPECT_EQ(actual.size(), expected.size());
  double worst = 0;
  for (size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
    const double error = std::abs(static_cast<double>(actual[i]) - expected[i]);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

}  // namespace deberta::model

#endif  // TESTS_MODEL_RANDOM_FLOATS_H_
