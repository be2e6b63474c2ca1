#include "model/layers/lstm.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/layers/lstm.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using GateFloats = hn::CappedTag<float, 16>;

template <class V>
HWY_INLINE V SigmoidOf(GateFloats d, V x) {
  // Beyond, e^-x is no number.
  const V e = hn::Exp(d, hn::Min(hn::Neg(x), hn::Set(d, 88.0f)));
  return hn::Div(hn::Set(d, 1.0f), hn::Add(hn::Set(d, 1.0f), e));
}

// One step of `size` units, a multiple of 16: `in` and `state` [i f o g, size].
void LstmStep(const float* in, const float* state, size_t size, float* cell,
              float* hidden) {
  const GateFloats d;
  for (size_t i = 0; i < size; i += hn::Lanes(d)) {
    const auto gate = [&](size_t g) {
      return hn::Add(hn::Load(d, in + g * size + i),
                     hn::Load(d, state + g * size + i));
    };
    const auto kept = hn::Mul(SigmoidOf(d, gate(1)), hn::Load(d, cell + i));
    const auto c =
        hn::MulAdd(SigmoidOf(d, gate(0)), hn::Tanh(d, gate(3)), kept);
    hn::Store(c, d, cell + i);
    hn::Store(hn::Mul(SigmoidOf(d, gate(2)), hn::Tanh(d, c)), d, hidden + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace deberta::model {

HWY_EXPORT(LstmStep);

namespace {

// Places of torch's gates i, f, g, o.
constexpr size_t kPlaces[] = {0, 1, 3, 2};
constexpr size_t kGates = 4;
// Texts that one thread takes side by side at most.
constexpr size_t kMostTexts = 64;

// Units beyond `size` have zero weights, and stay zero.
size_t Padded(size_t size) {
  return (size + Gemm::kColumnStep - 1) / Gemm::kColumnStep * Gemm::kColumnStep;
}

// Torch's row of padded row `row` of one direction; none of a padded unit.
bool TorchRow(size_t row, size_t size, size_t* torch_row) {
  const size_t padded = Padded(size);
  const size_t gate = kPlaces[row / padded];  // its own inverse
  *torch_row = gate * size + row % padded;
  return row % padded < size;
}

}  // namespace

Linear::Source BidirectionalLstm::InputSource(const Direction& forward,
                                              const Direction& backward,
                                              size_t size, size_t in) {
  const size_t rows = kGates * Padded(size);
  const auto read = [&forward, &backward, size, in, rows](
                        size_t row, std::span<float> values) {
    const Direction& direction = row < rows ? forward : backward;
    size_t from = 0;
    if (TorchRow(row % rows, size, &from)) {
      std::copy_n(&direction.input[from * in], in, values.begin());
    } else {
      std::ranges::fill(values, 0.0f);
    }
  };
  std::vector<float> bias(2 * rows);
  for (size_t row = 0; row < 2 * rows; ++row) {
    size_t from = 0;
    if (!TorchRow(row % rows, size, &from)) continue;
    bias[row] = (row < rows ? forward : backward).bias[from];
  }
  return {.out = 2 * rows, .in = in, .read_row = read, .bias = bias};
}

Linear::Source BidirectionalLstm::StateSource(const Direction& direction,
                                              size_t size) {
  const auto read = [&direction, size](size_t row, std::span<float> values) {
    std::ranges::fill(values, 0.0f);
    size_t from = 0;
    if (!TorchRow(row, size, &from)) return;
    std::copy_n(&direction.state[from * size], size, values.begin());
  };
  return {.out = kGates * Padded(size),
          .in = Padded(size),
          .read_row = read,
          .bias = {}};
}

void BidirectionalLstm::Forward(const float* x,
                                std::span<const uint32_t> starts, float* y,
                                Workspace& workspace) const {
  const size_t rows = starts.back();
  if (rows == 0) return;
  float* gates =
      workspace.dense.Reserve(Linear::PaddedRows(rows) * input_.out());
  input_.Forward(x, rows, gates, workspace);
  std::vector<std::span<const uint32_t>> texts;
  for (size_t t = 0; t + 1 < starts.size(); ++t) {
    if (starts[t + 1] > starts[t]) texts.push_back(starts.subspan(t, 2));
  }
  std::ranges::stable_sort(texts, std::ranges::greater(),
                           [](const auto& text) { return text[1] - text[0]; });
  // Each direction in as many groups as there are threads for.
  const size_t wanted = std::max((texts.size() + kMostTexts - 1) / kMostTexts,
                                 static_cast<size_t>(workspace.threads()) / 2);
  const size_t groups = std::clamp(wanted, size_t{1}, texts.size());
  workspace.pool().ParallelFor(2 * groups, [&](size_t task, int thread) {
    std::vector<std::span<const uint32_t>> group;
    for (size_t t = task / 2; t < texts.size(); t += groups) {
      group.push_back(texts[t]);
    }
    Run(group, task % 2 == 1, gates, y, workspace.thread_scratch(thread));
  });
}

void BidirectionalLstm::Run(std::span<const std::span<const uint32_t>> texts,
                            bool backward, const float* gates, float* y,
                            ThreadScratch& scratch) const {
  const auto step = HWY_DYNAMIC_DISPATCH(LstmStep);
  const Linear& product = backward ? backward_ : forward_;
  const size_t padded = Padded(size_);
  const size_t width = kGates * padded;
  FloatBuffer hidden_buffer;
  FloatBuffer rest;
  float* hidden =
      hidden_buffer.Reserve(Linear::PaddedRows(texts.size()) * padded);
  float* cell = rest.Reserve(texts.size() * (padded + width));
  float* state = cell + texts.size() * padded;
  const size_t longest = texts.front()[1] - texts.front()[0];
  size_t active = texts.size();
  for (size_t t = 0; t < longest; ++t) {
    while (texts[active - 1][1] - texts[active - 1][0] <= t) --active;
    // At first states are zero, and so is `state`.
    if (t > 0) product.ForwardOnThread(hidden, active, state, scratch);
    for (size_t s = 0; s < active; ++s) {
      const size_t row = backward ? texts[s][1] - 1 - t : texts[s][0] + t;
      step(gates + 2 * row * width + (backward ? width : 0), state + s * width,
           padded, cell + s * padded, hidden + s * padded);
      std::copy_n(hidden + s * padded, size_,
                  y + 2 * row * size_ + (backward ? size_ : 0));
    }
  }
}

}  // namespace deberta::model

#endif  // HWY_ONCE
