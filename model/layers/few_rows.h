// Products of a few rows, which wait for the weight more than they compute: its
// next columns are asked for from memory while these are multiplied.

#ifndef MODEL_LAYERS_FEW_ROWS_H_
#define MODEL_LAYERS_FEW_ROWS_H_

#include <cstddef>

namespace deberta::model {

struct FewRows {
  const float* x = nullptr;  // [rows, depth]
  size_t rows = 0;
  size_t depth = 0;
  size_t depth_block = 0;  // see below
  // Blocks of `block` columns, each [depth, block], block_step floats apart.
  const float* weight = nullptr;
  size_t block = 0;  // a multiple of 16
  size_t block_step = 0;
  const float* bias = nullptr;  // [columns]
  float* y = nullptr;           // [rows, columns]
  size_t columns = 0;           // a multiple of 16
};

// y = x W + bias. Sums are added up in the order of depth, over depth_block at
// a time, and then those of the blocks, so that the bits can be those of a
// product that is blocked likewise.
void MultiplyFewRows(const FewRows& product);

}  // namespace deberta::model

#endif  // MODEL_LAYERS_FEW_ROWS_H_
