#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "model/layers/attention.h"
#include "model/runtime/isa.h"

namespace deberta::model {
namespace {

constexpr size_t kHeads = 12;
constexpr size_t kHeadSize = 64;
constexpr size_t kWidth = kHeads * kHeadSize;

// Numbers of about one, which no kernel treats apart.
std::vector<float> Values(size_t n) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i) {
    values[i] = std::sin(static_cast<float>(i));
  }
  return values;
}

// All heads of one sequence of a base-sized layer; state.range(0) is its
// length. Operations are those of the formula: four products of length^2 d.
template <typename T>
void BM_Attention(benchmark::State& state) {
  constexpr Precision kPrecision =
      sizeof(T) == sizeof(float) ? Precision::kFp32 : Precision::kBf16;
  if (kPrecision == Precision::kBf16 && !HasBf16Products()) {
    state.SkipWithError("no AVX512_BF16");
    return;
  }
  const auto length = static_cast<size_t>(state.range(0));
  const RelativePosition positions(512, 256);
  const auto reach = static_cast<size_t>(positions.FindReach().offset);
  Workspace workspace(1);
  const std::vector<float> projected =
      Values(2 * static_cast<size_t>(positions.span()) * kWidth);
  const auto tables = [&](bool key_minus_query) {
    return PositionTables(projected, kHeads, kHeadSize, positions, reach,
                          key_minus_query, kPrecision, workspace.pool());
  };
  const Attention attention = {.precision = kPrecision,
                               .heads = kHeads,
                               .head_size = kHeadSize,
                               .scale = 1 / std::sqrt(3.0f * kHeadSize),
                               .c2p = tables(true),
                               .p2c = tables(false)};
  const std::vector<float> values = Values(length * 3 * kWidth);
  FloatBuffer projections;
  T* rows = projections.ReserveAs<T>(values.size());
  if constexpr (kPrecision == Precision::kBf16) {
    ToBf16(values, rows);
  } else {
    std::copy(values.begin(), values.end(), rows);
  }
  FloatBuffer context;
  T* to = context.ReserveAs<T>(length * kWidth);
  const std::vector<uint32_t> starts = {0, static_cast<uint32_t>(length)};
  const AttentionPlan plan = AttentionPlan::All(starts);
  for (auto _ : state) attention.Forward(rows, plan, to, workspace);
  state.SetItemsProcessed(
      state.iterations() *
      static_cast<int64_t>(kHeads * 4 * 2 * length * length * kHeadSize));
}

BENCHMARK(BM_Attention<float>)->Arg(16)->Arg(64)->Arg(128)->Arg(512);
BENCHMARK(BM_Attention<Bf16>)->Arg(16)->Arg(64)->Arg(128)->Arg(512);

}  // namespace
}  // namespace deberta::model
