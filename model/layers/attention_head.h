// What the attention kernel works on: one head of one sequence, and scratch.

#ifndef MODEL_LAYERS_ATTENTION_HEAD_H_
#define MODEL_LAYERS_ATTENTION_HEAD_H_

#include <cstddef>
#include <span>

#include "model/gemm/bf16.h"
#include "model/layers/attention.h"
#include "model/layers/position_tables.h"

namespace deberta::model {

// T: float or Bf16.
template <typename T>
struct AttentionHead {
  // Rows of one sequence and head: [length, head_size], row_stride apart.
  const T* queries = nullptr;
  const T* keys = nullptr;
  const T* values = nullptr;
  size_t row_stride = 0;
  size_t length = 0;
  size_t head_size = 0;
  float scale = 1;
  PositionTable c2p;  // REQUIRES: reach >= length - 1 where present
  PositionTable p2c;
  std::span<const AttentionPlan::Run> runs;
  T* context = nullptr;  // row 0 of the output, at this head's columns
  size_t context_stride = 0;
};

// Scratch of one thread, carved out of one buffer. Strides are odd numbers of
// cache lines, so that the rows of a matrix do not fall on each other in L1.
//
// What enters a product is laid out in cells along its depth: a float each, or
// two Bf16 that follow each other (depth: head_size / 2, (length + 1) / 2).
struct HeadScratch {
  static constexpr size_t kTileRows = 6;
  // 90 + 5 columns of p2c fill six vectors of 16.
  static constexpr size_t kStripRows = 90;

  float* queries = nullptr;  // [depth, query_stride]: a strip, by columns
  size_t query_stride = 0;
  float* keys = nullptr;  // [depth, key_stride]
  size_t key_stride = 0;
  float* values = nullptr;  // [depth, value_stride], zero beyond head_size
  size_t value_stride = 0;
  // [kStripRows and overrun, score_stride]; then cells of e^score by rows
  float* scores = nullptr;
  size_t score_stride = 0;
  float* by_key = nullptr;  // [length and overrun, by_key_stride]: p2c
  size_t by_key_stride = 0;
  float* context = nullptr;  // [kTileRows, value_stride]
  // Tables stretched to the sequence, where it is longer than they reach.
  float* c2p = nullptr;  // [depth, table_stride]
  float* p2c = nullptr;
  size_t table_stride = 0;

  // Room for either kind of cells; `stretch`: for the tables too.
  static HeadScratch Carve(size_t length, size_t head_size, bool stretch,
                           FloatBuffer& buffer);
};

// The same of the kernel that multiplies tiles of Bf16 (AMX). Queries and keys
// are read where they stand, 16 rows of a sequence at a time.
struct TileScratch {
  static constexpr size_t kTileRows = 16;
  static constexpr size_t kStripRows = 64;

  float* keys = nullptr;  // cells [head_size / 2, key_stride]
  size_t key_stride = 0;
  float* values = nullptr;  // cells [depth / 2, head_size]
  // Keys that enter P V: length, rounded up to a tile's depth; zeros beyond.
  size_t depth = 0;
  float* scores = nullptr;  // c2c [kStripRows, score_stride]
  size_t score_stride = 0;
  // Each row as its tile's window of the table has it: row r of a tile starts
  // 15 - r columns late.
  float* c2p_windows = nullptr;  // [kStripRows, c2p_stride]
  size_t c2p_stride = 0;
  float* p2c_windows = nullptr;  // by key [length and overrun, p2c_stride]
  size_t p2c_stride = 0;
  Bf16* weights = nullptr;   // e^score [kStripRows, depth]
  float* context = nullptr;  // [kStripRows, head_size]
  // Tables stretched to the sequence, where it is longer than they reach.
  float* c2p = nullptr;  // [head_size / 2, table_stride]
  float* p2c = nullptr;
  size_t table_stride = 0;

  static TileScratch Carve(size_t length, size_t head_size, bool stretch,
                           FloatBuffer& buffer);
};

}  // namespace deberta::model

#endif  // MODEL_LAYERS_ATTENTION_HEAD_H_
