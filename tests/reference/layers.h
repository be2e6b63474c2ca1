// The layers as their formulas say, in double precision: what the fast ones
// are compared with. Matrices are row-major.

#ifndef TESTS_REFERENCE_LAYERS_H_
#define TESTS_REFERENCE_LAYERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace deberta::reference {

// y = x W^T + b: x [rows, in], weight [out, in].
std::vector<double> Linear(std::span<const float> x,
                           std::span<const float> weight,
                           std::span<const float> bias, size_t in);

// Of each row of `width`.
std::vector<double> LayerNorm(std::span<const double> x,
                              std::span<const float> weight,
                              std::span<const float> bias, double epsilon);

struct AttentionInput {
  size_t length = 0;
  size_t heads = 0;
  size_t head_size = 0;
  double scale = 1;
  std::span<const float> projections;  // [length, 3, heads, head_size]
  // [rows, heads, head_size], or empty where the term is left out.
  std::span<const float> pos_key;
  std::span<const float> pos_query;
  // Row of both for query - key.
  std::function<int64_t(int64_t offset)> row;
};

// [length, heads, head_size].
std::vector<double> Attention(const AttentionInput& input);

// One sequence x [length, hidden]; weight [hidden, hidden / groups, kernel].
std::vector<double> Convolution(std::span<const float> x,
                                std::span<const float> weight,
                                std::span<const float> bias, size_t groups,
                                size_t kernel);

}  // namespace deberta::reference

#endif  // TESTS_REFERENCE_LAYERS_H_
