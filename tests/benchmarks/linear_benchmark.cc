#include <benchmark/benchmark.h>

#include <cmath>
#include <type_traits>
#include <vector>

#include "model/layers/linear.h"
#include "model/runtime/isa.h"

namespace deberta::model {
namespace {

// What stands between two products in `precision`.
template <Precision kPrecision>
using Between = std::conditional_t<kPrecision == Precision::kFp32, float, Bf16>;

// The first product of a base-sized feed-forward network with its gelu, whose
// rows are state.range(0).
template <Precision kPrecision, Products kProducts>
void BM_Intermediate(benchmark::State& state) {
  if (kPrecision == Precision::kBf16 && !HasBf16Products()) {
    state.SkipWithError("no AVX512_BF16");
    return;
  }
  constexpr size_t kIn = 768;
  constexpr size_t kOut = 3072;
  GemmTable gemms(kProducts);
  Workspace workspace(1);
  Linear::Source source;
  source.out = kOut;
  source.in = kIn;
  source.read_row = [](size_t row, std::span<float> values) {
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = std::sin(static_cast<float>(row * kIn + i));
    }
  };
  source.activation = Activation::kGelu;
  source.precision = kPrecision;
  const auto linear = Linear::Pack(source, gemms, workspace);
  if (!linear.ok()) {
    state.SkipWithError("no matrix product");
    return;
  }
  const auto rows = static_cast<size_t>(state.range(0));
  std::vector<float> x(Linear::PaddedRows(rows) * kIn, 0.5f);
  FloatBuffer y;
  auto* to = y.ReserveAs<Between<kPrecision>>(rows * kOut);
  for (auto _ : state) linear->Forward(x.data(), rows, to, workspace);
  state.SetItemsProcessed(state.iterations() *
                          static_cast<int64_t>(2 * rows * kIn * kOut));
}

void Rows(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(16)->Arg(128)->Arg(1024);
}

BENCHMARK(BM_Intermediate<Precision::kFp32, Products::kOwn>)->Apply(Rows);
BENCHMARK(BM_Intermediate<Precision::kFp32, Products::kOneDnn>)->Apply(Rows);
BENCHMARK(BM_Intermediate<Precision::kBf16, Products::kOwn>)->Apply(Rows);
BENCHMARK(BM_Intermediate<Precision::kBf16, Products::kOneDnn>)->Apply(Rows);
BENCHMARK(BM_Intermediate<Precision::kInt8, Products::kOwn>)->Apply(Rows);
BENCHMARK(BM_Intermediate<Precision::kInt8, Products::kOneDnn>)->Apply(Rows);

}  // namespace
}  // namespace deberta::model
