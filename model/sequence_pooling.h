// Hidden states of a sequence -> one row, for heads that read it whole.

#ifndef MODEL_SEQUENCE_POOLING_H_
#define MODEL_SEQUENCE_POOLING_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "model/runtime/batch.h"
#include "model/weights/declared_head.h"

namespace deberta::model {

// Of each of `batch.logit_rows`, the rows of its sequence that are pooled.
std::vector<std::vector<uint32_t>> PooledRows(const RaggedBatch& batch,
                                              SequencePooling pooling,
                                              int32_t marker);

// Pools `rows`, each [width] at `row_at(row)`, into `to`; sums are in double.
// REQUIRES: `rows` is not empty.
void PoolRows(const std::vector<uint32_t>& rows, SequencePooling pooling,
              const std::function<const float*(uint32_t)>& row_at, size_t width,
              float* to);

}  // namespace deberta::model

#endif  // MODEL_SEQUENCE_POOLING_H_
