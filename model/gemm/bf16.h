// bfloat16: the upper half of a float, rounded to nearest, ties to even.

#ifndef MODEL_GEMM_BF16_H_
#define MODEL_GEMM_BF16_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace deberta::model {

struct Bf16 {
  uint16_t bits;
};

// to[i] = from[i], for as many as `from` has. A NaN stays one.
void ToBf16(std::span<const float> from, Bf16* to);

}  // namespace deberta::model

#endif  // MODEL_GEMM_BF16_H_
