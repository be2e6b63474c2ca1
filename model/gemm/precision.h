// The arithmetic of the encoder's matrix products and attention. Sums, softmax,
// LayerNorm, residuals and heads are fp32 in every precision.

#ifndef MODEL_GEMM_PRECISION_H_
#define MODEL_GEMM_PRECISION_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "model/checkpoint/config.h"

namespace deberta::model {

enum class Precision {
  kFp32,
  kBf16,  // factors rounded to bfloat16
  kInt8,  // factors rounded to eight bits with a scale; attention as it can be
};

// "fp32", "bf16" or "int8".
absl::StatusOr<Precision> ParsePrecision(std::string_view name);
std::string_view PrecisionName(Precision precision);

struct PrecisionChoice {
  Precision used = Precision::kFp32;
  // Of attention: bf16 or fp32.
  Precision attention = Precision::kFp32;
  // Why it is not the one that was wanted; empty if it is.
  std::string reason;
  // What int8 makes do with for want of instructions; empty if of none.
  std::string instead = {};
};

// `wanted`, or fp32 where the processor or the model's shape does not do it.
PrecisionChoice ChoosePrecision(Precision wanted, const Config& config);

}  // namespace deberta::model

#endif  // MODEL_GEMM_PRECISION_H_
