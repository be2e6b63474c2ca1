// Disentangled attention (He et al. 2021, equation 4):
//
//   score(i, j) = (Q_i . K_j + Q_i . PK[i - j] + K_j . PQ[i - j]) * scale
//   context_i   = sum_j softmax_j(score(i, j)) V_j
//
// One fused kernel per (sequence, head), for every vector width.

#ifndef MODEL_LAYERS_ATTENTION_H_
#define MODEL_LAYERS_ATTENTION_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/gemm/bf16.h"
#include "model/layers/position_tables.h"
#include "model/runtime/workspace.h"

namespace deberta::model {

// The query rows to compute, sequence by sequence; keys and values are always
// all of the sequence.
struct AttentionPlan {
  // Rows [first, first + count) of a sequence go to rows `output`... of the
  // context.
  struct Run {
    uint32_t first = 0;
    uint32_t count = 0;
    uint32_t output = 0;
  };
  struct Sequence {
    uint32_t start = 0;  // row of the batch
    uint32_t length = 0;
    std::vector<Run> runs;
  };
  std::vector<Sequence> sequences;
  size_t rows = 0;

  // Every row, in the batch's order. `starts` [sequences + 1].
  static AttentionPlan All(std::span<const uint32_t> starts);
  // The rows `rows` of the batch, ascending and unique, packed in that order.
  static AttentionPlan Only(std::span<const uint32_t> starts,
                            std::span<const uint32_t> rows);
};

struct Attention {
  static constexpr size_t kRowsReadBeyond = 15;

  Precision precision = Precision::kFp32;  // or bf16: which Forward to call
  size_t heads = 0;
  size_t head_size = 0;
  float scale = 1;     // 1 / sqrt(head_size * s), spec 2.5 and 2.6
  PositionTables c2p;  // PK by key - query
  PositionTables p2c;  // PQ by query - key

  // projections [tokens, 3, heads, head_size]: queries, keys, values.
  // context [plan.rows, heads, head_size].
  void Forward(const float* projections, const AttentionPlan& plan,
               float* context, Workspace& workspace) const;
  // With bf16 products. REQUIRES: HasBf16Products(), tables in bf16, and
  // kRowsReadBeyond rows that may be read after the last one of `projections`.
  void Forward(const Bf16* projections, const AttentionPlan& plan,
               Bf16* context, Workspace& workspace) const;

  size_t bytes() const { return c2p.bytes() + p2c.bytes(); }
};

}  // namespace deberta::model

#endif  // MODEL_LAYERS_ATTENTION_H_
