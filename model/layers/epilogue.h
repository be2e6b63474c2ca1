// What turns a product's sums into a layer's outputs: dequantized in int8,
// biased, activated and rounded to what they are stored as, in one pass.

#ifndef MODEL_LAYERS_EPILOGUE_H_
#define MODEL_LAYERS_EPILOGUE_H_

#include <cstddef>
#include <cstdint>

#include "model/checkpoint/config.h"
#include "model/gemm/bf16.h"
#include "model/gemm/int8.h"
#include "model/gemm/precision.h"

namespace deberta::model {

struct Epilogue {
  Precision precision = Precision::kFp32;
  Activation activation = Activation::kLinear;
  // int8: of the rows, and of the columns (see QuantizedWeight).
  const QuantizedRow* rows = nullptr;
  const float* scales = nullptr;
  const int32_t* weight_sums = nullptr;
  // Of the columns; in fp32 it is in the sums.
  const float* bias = nullptr;
};

// y(r, c) = activation(sum(r, c)) for `rows` x `columns` sums of float, or of
// int32_t in int8. Gelu is within 1e-6 and 2e-7 of |x| in fp32; otherwise it is
// a polynomial within 1e-4 and 1e-5, far below a bfloat16's rounding. REQUIRES:
// columns <= 256; what holds a value for each column is readable up to a
// multiple of 16 columns.
void Finish(const Epilogue& epilogue, const void* sums, size_t sums_stride,
            size_t rows, size_t columns, float* y, size_t y_stride);
void Finish(const Epilogue& epilogue, const void* sums, size_t sums_stride,
            size_t rows, size_t columns, Bf16* y, size_t y_stride);

}  // namespace deberta::model

#endif  // MODEL_LAYERS_EPILOGUE_H_
