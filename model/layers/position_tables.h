// The position projections PK and PQ of one layer, computed once at load and
// laid out by offset, so that attention reads them as plain matrices: log
// buckets are already applied, and v1 and v3 share one kernel.

#ifndef MODEL_LAYERS_POSITION_TABLES_H_
#define MODEL_LAYERS_POSITION_TABLES_H_

#include <cstddef>
#include <span>

#include "model/gemm/precision.h"
#include "model/layers/relative_position.h"
#include "model/runtime/workspace.h"

namespace deberta::model {

// Of one head: row k holds cell k of the projection for every offset, column
// reach() + offset. A cell is element k in fp32, and elements 2 k and 2 k + 1
// as Bf16 in bf16.
struct PositionTable {
  const float* values = nullptr;  // [cells, stride]; null: term left out
  size_t stride = 0;
  size_t reach = 0;  // offsets -reach..reach are there
};

class PositionTables {
 public:
  // Columns that readers may overrun on either side; a cache line.
  static constexpr size_t kSlack = 16;
  // The next reach from `reach` on with which column 1 - kSlack + reach stands
  // at the start of a cache line.
  static size_t AlignedReach(size_t reach);

  PositionTables() = default;

  // `projected` [2 S, heads * head_size] is the projection of rel_embeddings.
  // Offsets from -reach to reach and on to the aligned reach, where rows no
  // longer change beyond `reach`.
  // The offset is key - query if `key_minus_query` (c2p), else query - key
  // (p2c). REQUIRES: head_size is even in bf16.
  PositionTables(std::span<const float> projected, size_t heads,
                 size_t head_size, const RelativePosition& positions,
                 size_t reach, bool key_minus_query, Precision precision,
                 ThreadPool& pool);

  PositionTable head(size_t head) const;
  size_t bytes() const { return values_.capacity() * sizeof(float); }

 private:
  size_t cells_ = 0;
  size_t stride_ = 0;
  size_t reach_ = 0;
  FloatBuffer values_;  // [heads, cells, stride], kSlack to the left
};

}  // namespace deberta::model

#endif  // MODEL_LAYERS_POSITION_TABLES_H_
