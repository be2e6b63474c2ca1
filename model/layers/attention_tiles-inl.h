// Attention in bf16 by tile registers (AMX), compiled once per instruction set
// and callable from AVX-512 on.
//
// The steps are those of attention_kernel-inl.h, on blocks of 16 rows. A column
// of 16 of the right matrix is held in a tile while blocks of rows pass; in c2p
// and p2c, the next block reads the window one tile further left, so a tile of
// the table serves a diagonal of results.
//
// Tiles are slow to load and store across cache lines, vectors are not. So
// strips begin at multiples of 16 rows, with which every window is aligned;
// what is skewed is put straight, and p2c transposed, where vectors add the
// terms up for their maximum.

#if defined(MODEL_LAYERS_ATTENTION_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MODEL_LAYERS_ATTENTION_TILES_INL_H_
#undef MODEL_LAYERS_ATTENTION_TILES_INL_H_
#else
#define MODEL_LAYERS_ATTENTION_TILES_INL_H_
#endif

#include <hwy/highway.h>

#include "model/gemm/tile_multiply.h"
#include "model/gemm/unroll.h"
#include "model/layers/attention_kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

#if HWY_ARCH_X86_64 && HWY_TARGET <= HWY_AVX3

// Sums of at most so many blocks are held at once.
constexpr size_t kMostBlocks = 5;

// Blocks of 16 rows times one column of 16: c[block] = a[block] b.
struct TileColumn {
  const Bf16* a = nullptr;  // row-major
  size_t a_stride = 0;      // elements between rows
  size_t a_step = 0;        // between blocks
  const float* b = nullptr;
  size_t b_stride = 0;
  size_t steps = 0;  // of 32 elements of depth
  float* c = nullptr;
  size_t c_row_step = 0;
  size_t c_step = 0;  // between blocks
};

template <int kBlocks>
HWY_NOINLINE void MultiplyBlocks(const TileColumn& column) {
  constexpr int kA = 6;
  constexpr int kB = 7;
  const size_t c_bytes = column.c_row_step * sizeof(float);
  const auto each_block = [](auto act) HWY_ATTR {
    act(std::integral_constant<int, 0>());
    if constexpr (kBlocks > 1) act(std::integral_constant<int, 1>());
    if constexpr (kBlocks > 2) act(std::integral_constant<int, 2>());
    if constexpr (kBlocks > 3) act(std::integral_constant<int, 3>());
    if constexpr (kBlocks > 4) act(std::integral_constant<int, 4>());
  };
  each_block([](auto block) HWY_ATTR { tile::Zero<block()>(); });
  for (size_t step = 0; step < column.steps; ++step) {
    const Bf16* const a = column.a + step * 32;
    tile::Load<kB>(column.b + step * 16 * column.b_stride,
                   column.b_stride * sizeof(float));
    each_block([&](auto block) HWY_ATTR {
      tile::Load<kA>(a + block() * column.a_step,
                     column.a_stride * sizeof(Bf16));
      tile::MultiplyBf16<block(), kA, kB>();
    });
  }
  each_block([&](auto block) HWY_ATTR {
    tile::Store<block()>(column.c + block() * column.c_step, c_bytes);
  });
}

void MultiplyColumn(size_t blocks, TileColumn column) {
  for (; blocks > kMostBlocks; blocks -= kMostBlocks) {
    MultiplyBlocks<kMostBlocks>(column);
    column.a += kMostBlocks * column.a_step;
    column.c += kMostBlocks * column.c_step;
  }
  switch (blocks) {
    case 1:
      return MultiplyBlocks<1>(column);
    case 2:
      return MultiplyBlocks<2>(column);
    case 3:
      return MultiplyBlocks<3>(column);
    case 4:
      return MultiplyBlocks<4>(column);
    case kMostBlocks:
      return MultiplyBlocks<kMostBlocks>(column);
  }
}

constexpr size_t TileCount(size_t n) {
  return (n + TileScratch::kTileRows - 1) / TileScratch::kTileRows;
}

// `first`: the window of block 0, which begins 15 columns to the left of what
// the block's first row reads; each next block's is one tile to the left of it.
// Rows of `columns` and 15 more go to first.c, as TileScratch has them.
void MultiplyWindows(TileColumn first, size_t blocks, size_t columns) {
  constexpr size_t kRows = TileScratch::kTileRows;
  const size_t tiles = TileCount(columns + kRows - 1);
  first.c_step = kRows * first.c_row_step + kRows;
  // The table's tile `t` + 1 - `blocks`, counted from block 0's window.
  for (size_t t = 0; t + 1 < tiles + blocks; ++t) {
    const size_t begin = t + 1 < blocks ? blocks - 1 - t : 0;
    const size_t end = std::min(blocks, tiles + blocks - 1 - t);
    const size_t tile = t + begin + 1 - blocks;  // of block `begin`
    TileColumn column = first;
    column.a += begin * first.a_step;
    // In one step: between them it might leave the table.
    column.b += static_cast<ptrdiff_t>(kRows * tile) -
                static_cast<ptrdiff_t>(kRows * begin);
    column.c += begin * kRows * first.c_row_step + kRows * tile;
    MultiplyColumn(end - begin, column);
  }
}

// 2^x for x <= 0, to 3e-6; below -126 as at -126. Minimax polynomial on
// [-1/2, 1/2]; adding kRound leaves the nearest integer in the lowest bits.
HWY_INLINE Vector Exp2OfNegative(Vector x) {
  const Floats d;
  const hn::RebindToSigned<Floats> di;
  const Vector round = hn::Set(d, 12582912.0f);  // 1.5 * 2^23
  x = hn::Max(x, hn::Set(d, -126.0f));
  const Vector shifted = hn::Add(x, round);
  const Vector r = hn::Sub(x, hn::Sub(shifted, round));
  Vector y = hn::Set(d, 0.009570102207f);
  y = hn::MulAdd(y, r, hn::Set(d, 0.055917859077f));
  y = hn::MulAdd(y, r, hn::Set(d, 0.240247443318f));
  y = hn::MulAdd(y, r, hn::Set(d, 0.693121790886f));
  y = hn::MulAdd(y, r, hn::Set(d, 0.999999284744f));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(di, shifted));
  return hn::BitCast(d, hn::Add(hn::BitCast(di, y), exponent));
}

// Rows 0, 4, 8 and 12, four columns of each.
HWY_INLINE Vector LoadEveryFourth(const float* from, size_t stride) {
  const hn::FixedTag<float, 4> d4;
  const hn::FixedTag<float, 8> d8;
  const auto row = [&](size_t r)
                       HWY_ATTR { return hn::LoadU(d4, from + r * stride); };
  return hn::Combine(Floats(), hn::Combine(d8, row(12), row(8)),
                     hn::Combine(d8, row(4), row(0)));
}

// Four columns of 16 rows as rows.
HWY_INLINE void TransposeFourColumns(const float* from, size_t stride,
                                     Vector (&rows)[4]) {
  const Floats d;
  const hn::Repartition<double, Floats> pairs;
  const Vector v0 = LoadEveryFourth(from, stride);
  const Vector v1 = LoadEveryFourth(from + stride, stride);
  const Vector v2 = LoadEveryFourth(from + 2 * stride, stride);
  const Vector v3 = LoadEveryFourth(from + 3 * stride, stride);
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, v0, v1));
  const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, v2, v3));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, v0, v1));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, v2, v3));
  rows[0] = hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23));
  rows[1] = hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23));
  rows[2] = hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23));
  rows[3] = hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23));
}

// Adds the position terms to the scores of rows i to i + 3 of the strip and
// returns the rows' maxima over the `length` keys in `max`.
template <bool kC2p, bool kP2c>
HWY_INLINE void AddTerms(const TileScratch& scratch, size_t i, size_t length,
                         Vector (&max)[4]) {
  constexpr size_t kSkew = TileScratch::kTileRows - 1;
  const Floats d;
  DEBERTA_UNROLL
  for (size_t r = 0; r < 4; ++r) {
    max[r] = hn::Set(d, std::numeric_limits<float>::lowest());
  }
  float* scores = scratch.scores + i * scratch.score_stride;
  const float* c2p = scratch.c2p_windows + i * scratch.c2p_stride + kSkew -
                     i % TileScratch::kTileRows;
  const float* p2c = scratch.p2c_windows + i + kSkew;
  for (size_t j = 0; j < length; j += kLanes) {
    Vector terms[4];
    if constexpr (kP2c) {
      TransposeFourColumns(p2c + j * scratch.p2c_stride, scratch.p2c_stride - 1,
                           terms);
    }
    const bool whole = j + kLanes <= length;
    DEBERTA_UNROLL
    for (size_t r = 0; r < 4; ++r) {
      float* to = scores + r * scratch.score_stride + j;
      Vector score = hn::Load(d, to);
      if constexpr (kC2p) {
        score = hn::Add(score,
                        hn::LoadU(d, c2p + r * (scratch.c2p_stride - 1) + j));
      }
      if constexpr (kP2c) score = hn::Add(score, terms[r]);
      if constexpr (kC2p || kP2c) hn::Store(score, d, to);
      // What stands beyond may be anything, also no number.
      if (!whole) {
        score = hn::IfThenElse(hn::FirstN(d, length - j), score, max[r]);
      }
      max[r] = hn::Max(max[r], score);
    }
  }
}

HWY_INLINE void StoreRounded(Vector v, Bf16* to) {
  __m256i rounded;
  asm("vcvtneps2bf16 %1, %0" : "=v"(rounded) : "v"(v.raw));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), rounded);
}

// e^(scale (score - max)) of one row to `weights` [depth], zeros beyond
// `length`; returns 1 / their sum. `scale` is times log2 e.
HWY_INLINE float WeightsOfRow(const float* scores, size_t length, size_t depth,
                              float max, float scale, Bf16* weights) {
  const Floats d;
  const Vector scales = hn::Set(d, scale);
  const Vector shift = hn::Set(d, max);
  Vector sums[2] = {hn::Zero(d), hn::Zero(d)};
  const auto weigh = [&](size_t j) HWY_ATTR {
    return Exp2OfNegative(
        hn::Mul(hn::Sub(hn::LoadU(d, scores + j), shift), scales));
  };
  size_t j = 0;
  for (; j + 2 * kLanes <= length; j += 2 * kLanes) {
    for (size_t k = 0; k < 2; ++k) {
      const Vector e = weigh(j + k * kLanes);
      sums[k] = hn::Add(sums[k], e);
      StoreRounded(e, weights + j + k * kLanes);
    }
  }
  for (; j < depth; j += kLanes) {
    Vector e = hn::Zero(d);
    if (j < length) {
      // What stands beyond may be anything, also no number.
      e = hn::IfThenElseZero(hn::FirstN(d, length - j), weigh(j));
    }
    sums[0] = hn::Add(sums[0], e);
    StoreRounded(e, weights + j);
  }
  return 1 / hn::GetLane(hn::SumOfLanes(d, hn::Add(sums[0], sums[1])));
}

// The three terms of queries [i0, i0 + n) against all keys, each on its own.
void TileScores(const AttentionHead<Bf16>& head, size_t i0, size_t n,
                const TileScratch& scratch) {
  constexpr size_t kRows = TileScratch::kTileRows;
  const size_t blocks = TileCount(n);
  TileColumn queries = {.a = head.queries + i0 * head.row_stride,
                        .a_stride = head.row_stride,
                        .a_step = kRows * head.row_stride,
                        .steps = head.head_size / 32};
  if (head.p2c.values != nullptr) {
    TileColumn windows = queries;
    windows.a = head.keys;
    windows.b = head.p2c.values + head.p2c.reach + i0 - (kRows - 1);
    windows.b_stride = head.p2c.stride;
    windows.c = scratch.p2c_windows;
    windows.c_row_step = scratch.p2c_stride;
    MultiplyWindows(windows, TileCount(head.length), n);
  }
  if (head.c2p.values != nullptr) {
    TileColumn windows = queries;
    windows.b = head.c2p.values + head.c2p.reach - i0 - (kRows - 1);
    windows.b_stride = head.c2p.stride;
    windows.c = scratch.c2p_windows;
    windows.c_row_step = scratch.c2p_stride;
    MultiplyWindows(windows, blocks, head.length);
  }
  queries.b_stride = scratch.key_stride;
  queries.c_row_step = scratch.score_stride;
  queries.c_step = kRows * scratch.score_stride;
  for (size_t j = 0; j < head.length; j += kRows) {
    queries.b = scratch.keys + j;
    queries.c = scratch.scores + j;
    MultiplyColumn(blocks, queries);
  }
}

// e^score of rows [first, n) of the strip, and 1 / their sums in `factors`.
template <bool kC2p, bool kP2c>
void TileSoftmax(const AttentionHead<Bf16>& head, size_t first, size_t n,
                 const TileScratch& scratch, float* factors) {
  constexpr float kLog2E = 1.44269504f;
  for (size_t i = first / 4 * 4; i < n; i += 4) {
    Vector max[4];
    AddTerms<kC2p, kP2c>(scratch, i, head.length, max);
    for (size_t r = i; r < i + 4; ++r) {
      factors[r] = WeightsOfRow(
          scratch.scores + r * scratch.score_stride, head.length, scratch.depth,
          hn::GetLane(hn::MaxOfLanes(Floats(), max[r - i])),
          head.scale * kLog2E, scratch.weights + r * scratch.depth);
    }
  }
}

// softmax(scores) V of rows [first, n) of the strip, to rows of `context`.
void TileContext(const AttentionHead<Bf16>& head, size_t first, size_t n,
                 const TileScratch& scratch, Bf16* context) {
  float factors[TileScratch::kStripRows];
  const bool c2p = head.c2p.values != nullptr;
  const bool p2c = head.p2c.values != nullptr;
  const auto softmax =
      c2p ? (p2c ? TileSoftmax<true, true> : TileSoftmax<true, false>)
          : (p2c ? TileSoftmax<false, true> : TileSoftmax<false, false>);
  softmax(head, first, n, scratch, factors);
  TileColumn rows = {.a = scratch.weights,
                     .a_stride = scratch.depth,
                     .a_step = TileScratch::kTileRows * scratch.depth,
                     .b_stride = head.head_size,
                     .steps = scratch.depth / 32,
                     .c_row_step = head.head_size,
                     .c_step = TileScratch::kTileRows * head.head_size};
  for (size_t k = 0; k < head.head_size; k += TileScratch::kTileRows) {
    rows.b = scratch.values + k;
    rows.c = scratch.context + k;
    MultiplyColumn(TileCount(n), rows);
  }
  const Floats d;
  for (size_t i = first; i < n; ++i) {
    const float* from = scratch.context + i * head.head_size;
    Bf16* to = context + (i - first) * head.context_stride;
    const Vector factor = hn::Set(d, factors[i]);
    for (size_t k = 0; k < head.head_size; k += kLanes) {
      StoreRounded(hn::Mul(factor, hn::Load(d, from + k)), to + k);
    }
  }
}

// Pairs of rows, zeros beyond the last.
void PackTileValues(const AttentionHead<Bf16>& head,
                    const TileScratch& scratch) {
  const hn::ScalableTag<uint16_t> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t j = 0; j < scratch.depth; j += 2) {
    auto* to =
        reinterpret_cast<uint16_t*>(scratch.values + j / 2 * head.head_size);
    for (size_t k = 0; k < head.head_size; k += lanes) {
      const auto row = [&](size_t r) HWY_ATTR {
        return r < head.length
                   ? hn::LoadU(d, &head.values[r * head.row_stride + k].bits)
                   : hn::Zero(d);
      };
      const auto first = row(j);
      const auto second = row(j + 1);
      hn::StoreInterleaved2(first, second, d, to + 2 * k);
    }
  }
}

void AttendBf16Tiles(const AttentionHead<Bf16>& head,
                     const TileScratch& scratch) {
  TransposeCells(head.keys, head.row_stride, head.length, head.head_size,
                 scratch.keys, scratch.key_stride);
  PackTileValues(head, scratch);
  tile::Configure();
  for (const AttentionPlan::Run& run : head.runs) {
    const size_t end = run.first + run.count;
    const size_t begin =
        run.first / TileScratch::kTileRows * TileScratch::kTileRows;
    for (size_t i0 = begin; i0 < end; i0 += TileScratch::kStripRows) {
      const size_t n = std::min(TileScratch::kStripRows, end - i0);
      const size_t first = std::max<size_t>(run.first, i0);
      TileScores(head, i0, n, scratch);
      TileContext(head, first - i0, n, scratch,
                  head.context +
                      (run.output + first - run.first) * head.context_stride);
    }
  }
  tile::Release();
}

#else

// There are no tiles without AVX-512.
void AttendBf16Tiles(const AttentionHead<Bf16>&, const TileScratch&) {}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#endif  // MODEL_LAYERS_ATTENTION_TILES_INL_H_
