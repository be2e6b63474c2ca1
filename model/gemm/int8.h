// Numbers of eight bits with a scale: of a token's row, chosen when it is
// computed, and of a weight's row (an output channel), chosen when it is
// loaded.
//
// A row x is u - zero times its scale, with u in [0, 255], because the products
// of processors are of unsigned by signed bytes. Then
//   x . w = scale_x scale_w (u . w_q - zero sum(w_q)).
// The zero lets rows that are no more negative than positive, as gelu's, use
// all of the range.

#ifndef MODEL_GEMM_INT8_H_
#define MODEL_GEMM_INT8_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/gemm/bf16.h"

namespace deberta::model {

// Longer sums of products could leave 32 bits: 2^31 / (255 * 127).
inline constexpr size_t kMaxInt8Depth = 65536;

// Rows of nothing greater are zeros, so that 255 / x is a number.
inline constexpr float kLeastScaled = 1e-30f;

struct QuantizedRow {
  float scale = 0;   // NaN if a value is not finite
  int32_t zero = 0;  // what stands for 0
};

QuantizedRow QuantizeRow(std::span<const float> row, uint8_t* to);
QuantizedRow QuantizeRow(std::span<const Bf16> row, uint8_t* to);

struct QuantizedWeight {
  float scale = 0;
  int32_t sum = 0;  // of w_q
};

// To [-limit, limit].
QuantizedWeight QuantizeWeight(std::span<const float> row, int limit,
                               int8_t* to);

}  // namespace deberta::model

#endif  // MODEL_GEMM_INT8_H_
