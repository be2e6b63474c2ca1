#include "model/layers/attention.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "model/layers/attention_head.h"
#include "model/runtime/isa.h"

// Vectors whose length the compiler does not know cannot be kept in arrays, as
// the kernel's tiles are; these processors have fixed ones too.
#define HWY_DISABLED_TARGETS \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/layers/attention.cc"
#include <hwy/foreach_target.h>
//
#include "model/layers/attention_kernel-inl.h"
#include "model/layers/attention_tiles-inl.h"

#if HWY_ONCE

namespace deberta::model {

HWY_EXPORT(AttendFloat);
HWY_EXPORT(AttendBf16);
HWY_EXPORT(AttendBf16Tiles);

namespace {

constexpr size_t kLine = 16;  // floats
// What a matrix of n columns may be overrun by: a skew and a vector, each side.
constexpr size_t kOverrun = 2 * kLine;

size_t RoundUp(size_t n, size_t step) { return (n + step - 1) / step * step; }

size_t OddStride(size_t columns) {
  return (RoundUp(columns, kLine) / kLine | 1) * kLine;
}

// Of tables stretched to `length`.
size_t TableStride(size_t length) {
  return OddStride(2 * PositionTables::AlignedReach(length - 1) + 1 +
                   2 * PositionTables::kSlack);
}

// Gives each pointer so many floats of `buffer`, aligned to lines.
void CarveAll(FloatBuffer& buffer,
              std::initializer_list<std::pair<float**, size_t>> parts) {
  size_t floats = 0;
  for (const auto& [pointer, n] : parts) floats += RoundUp(n, kLine);
  float* next = buffer.Reserve(floats);
  for (const auto& [pointer, n] : parts) {
    *pointer = next;
    next += RoundUp(n, kLine);
  }
}

// Copies `table` to [depth, stride] reaching `reach`; offsets beyond the table
// have the values at its ends.
PositionTable Stretch(const PositionTable& table, size_t depth, size_t reach,
                      float* values, size_t stride) {
  if (table.values == nullptr) return {};
  const size_t more = reach - table.reach;
  const size_t columns = 2 * table.reach + 1;
  for (size_t k = 0; k < depth; ++k) {
    const float* from = table.values + k * table.stride;
    float* to = values + k * stride + PositionTables::kSlack;
    std::fill(to, to + more, from[0]);
    std::copy(from, from + columns, to + more);
    std::fill(to + more + columns, to + 2 * more + columns, from[columns - 1]);
  }
  return {values + PositionTables::kSlack, stride, reach};
}

// `attend`: the kernel for T.
template <typename Scratch, typename T, typename Kernel>
void AttendAll(const Attention& attention, Kernel attend, const T* projections,
               const AttentionPlan& plan, T* context, Workspace& workspace) {
  const size_t head_size = attention.head_size;
  const size_t depth = head_size * sizeof(T) / sizeof(float);
  const size_t width = attention.heads * head_size;
  const size_t count = plan.sequences.size();
  // Heads outside, sequences inside: a head's tables stay in cache.
  workspace.pool().ParallelFor(attention.heads * count, [&](size_t task,
                                                            int thread) {
    const size_t h = task / count;
    const AttentionPlan::Sequence& sequence = plan.sequences[task % count];
    const T* rows = projections + sequence.start * 3 * width + h * head_size;
    AttentionHead<T> head = {.queries = rows,
                             .keys = rows + width,
                             .values = rows + 2 * width,
                             .row_stride = 3 * width,
                             .length = sequence.length,
                             .head_size = head_size,
                             .scale = attention.scale,
                             .c2p = attention.c2p.head(h),
                             .p2c = attention.p2c.head(h),
                             .runs = sequence.runs,
                             .context = context + h * head_size,
                             .context_stride = width};
    const size_t reach = PositionTables::AlignedReach(head.length - 1);
    const bool stretch =
        (head.c2p.values != nullptr && head.c2p.reach < reach) ||
        (head.p2c.values != nullptr && head.p2c.reach < reach);
    const Scratch scratch =
        Scratch::Carve(head.length, head_size, stretch,
                       workspace.thread_scratch(thread).floats);
    if (stretch) {
      head.c2p =
          Stretch(head.c2p, depth, reach, scratch.c2p, scratch.table_stride);
      head.p2c =
          Stretch(head.p2c, depth, reach, scratch.p2c, scratch.table_stride);
    }
    attend(head, scratch);
  });
}

}  // namespace

AttentionPlan AttentionPlan::All(std::span<const uint32_t> starts) {
  AttentionPlan plan;
  plan.rows = starts.back();
  for (size_t s = 0; s + 1 < starts.size(); ++s) {
    const uint32_t length = starts[s + 1] - starts[s];
    plan.sequences.push_back({starts[s], length, {{0, length, starts[s]}}});
  }
  return plan;
}

AttentionPlan AttentionPlan::Only(std::span<const uint32_t> starts,
                                  std::span<const uint32_t> rows) {
  AttentionPlan plan;
  plan.rows = rows.size();
  uint32_t next = 0;
  for (size_t s = 0; s + 1 < starts.size(); ++s) {
    Sequence sequence = {starts[s], starts[s + 1] - starts[s], {}};
    for (; next < rows.size() && rows[next] < starts[s + 1]; ++next) {
      const uint32_t row = rows[next] - starts[s];
      if (sequence.runs.empty() ||
          sequence.runs.back().first + sequence.runs.back().count != row) {
        sequence.runs.push_back({row, 0, next});
      }
      ++sequence.runs.back().count;
    }
    if (!sequence.runs.empty()) plan.sequences.push_back(std::move(sequence));
  }
  return plan;
}

HeadScratch HeadScratch::Carve(size_t length, size_t head_size, bool stretch,
                               FloatBuffer& buffer) {
  HeadScratch scratch;
  scratch.query_stride = OddStride(kStripRows + kLine);
  scratch.key_stride = OddStride(length + kLine);
  scratch.value_stride = RoundUp(head_size, kLine);
  scratch.score_stride = OddStride(length + kOverrun);
  scratch.by_key_stride = OddStride(kStripRows + kOverrun);
  scratch.table_stride = stretch ? TableStride(length) : 0;
  const size_t table = head_size * scratch.table_stride;
  CarveAll(buffer, {{&scratch.queries, head_size * scratch.query_stride},
                    {&scratch.keys, head_size * scratch.key_stride},
                    {&scratch.values, length * scratch.value_stride},
                    {&scratch.scores,
                     kLine + RoundUp(kStripRows, kLine) * scratch.score_stride},
                    {&scratch.by_key,
                     kLine + (length + kTileRows) * scratch.by_key_stride},
                    {&scratch.context, kTileRows * scratch.value_stride},
                    {&scratch.c2p, table},
                    {&scratch.p2c, table}});
  // The skew of the first row reaches to the left.
  scratch.scores += kLine;
  scratch.by_key += kLine;
  return scratch;
}

TileScratch TileScratch::Carve(size_t length, size_t head_size, bool stretch,
                               FloatBuffer& buffer) {
  TileScratch scratch;
  const size_t cells = head_size / 2;
  scratch.key_stride = OddStride(length + kTileRows);
  scratch.depth = RoundUp(length, 2 * kTileRows);
  scratch.score_stride = OddStride(length + kTileRows);
  // A window is a tile wider than what it is for, and read to the right of it.
  scratch.c2p_stride = OddStride(length + 3 * kTileRows);
  scratch.p2c_stride = OddStride(kStripRows + 3 * kTileRows);
  scratch.table_stride = stretch ? TableStride(length) : 0;
  const size_t table = cells * scratch.table_stride;
  float* weights = nullptr;
  CarveAll(buffer, {{&scratch.keys, cells * scratch.key_stride},
                    {&scratch.values, scratch.depth / 2 * head_size},
                    {&scratch.scores, kStripRows * scratch.score_stride},
                    {&scratch.c2p_windows, kStripRows * scratch.c2p_stride},
                    {&scratch.p2c_windows,
                     RoundUp(length, kTileRows) * scratch.p2c_stride},
                    {&weights, kStripRows * scratch.depth / 2},
                    {&scratch.context, kStripRows * head_size},
                    {&scratch.c2p, table},
                    {&scratch.p2c, table}});
  scratch.weights = reinterpret_cast<Bf16*>(weights);
  return scratch;
}

void Attention::Forward(const float* projections, const AttentionPlan& plan,
                        float* context, Workspace& workspace) const {
  AttendAll<HeadScratch>(*this, HWY_DYNAMIC_DISPATCH(AttendFloat), projections,
                         plan, context, workspace);
}

void Attention::Forward(const Bf16* projections, const AttentionPlan& plan,
                        Bf16* context, Workspace& workspace) const {
  // Tiles are 32 elements deep.
  if (HasTileProducts() && head_size % 32 == 0) {
    AttendAll<TileScratch>(*this, HWY_DYNAMIC_DISPATCH(AttendBf16Tiles),
                           projections, plan, context, workspace);
  } else {
    AttendAll<HeadScratch>(*this, HWY_DYNAMIC_DISPATCH(AttendBf16), projections,
                           plan, context, workspace);
  }
}

}  // namespace deberta::model

#endif  // HWY_ONCE
