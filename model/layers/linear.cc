#include "model/layers/linear.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "model/gemm/int8.h"
#include "model/runtime/isa.h"

namespace deberta::model {
namespace {

// Tiles are cut no finer than this for want of tasks.
constexpr size_t kMinTileRows = 16;
// Rows rounded by one task.
constexpr size_t kRowsPerTask = 16;
// Without an instruction for four products, AVX2 and SSE add pairs of products
// of bytes in 16 bits, which must not saturate: 2 * 255 * 64 < 2^15.
constexpr int kPairableWeight = 64;

constexpr size_t RoundUp(size_t n, size_t step) {
  return (n + step - 1) / step * step;
}

// Least padding first, then an even number of panels, then wide ones.
size_t PanelWidth(size_t out) {
  if (out < 64) return RoundUp(out, Gemm::kColumnStep);
  size_t best = 64;
  for (const size_t width : {size_t{128}, size_t{192}, size_t{256}}) {
    const size_t padded = RoundUp(out, width);
    const size_t best_padded = RoundUp(out, best);
    const bool odd = padded / width % 2 != 0;
    const bool best_odd = best_padded / best % 2 != 0;
    if (std::pair(padded, odd) <= std::pair(best_padded, best_odd)) {
      best = width;
    }
  }
  return best;
}

}  // namespace

absl::StatusOr<Linear> Linear::Pack(const Source& source, GemmTable& gemms,
                                    Workspace& workspace) {
  auto gemm = gemms.Get({.in = source.in,
                         .width = PanelWidth(source.out),
                         .precision = source.precision});
  if (!gemm.ok()) return gemm.status();
  Linear linear;
  linear.in_ = source.in;
  linear.out_ = source.out;
  linear.precision_ = source.precision;
  linear.gemm_ = *gemm;
  linear.activation_ = source.activation;
  const size_t width = linear.gemm_->shape().width;
  const size_t panels = (source.out + width - 1) / width;
  float* bias = linear.bias_.Reserve(panels * width);
  std::copy(source.bias.begin(), source.bias.end(), bias);
  if (source.precision == Precision::kInt8) {
    linear.scales_.Reserve(panels * width);
    linear.weight_sums_.Reserve(panels * width);
  }
  FloatBuffer weight;
  weight.Reserve(panels * linear.gemm_->packed_floats());
  workspace.pool().ParallelFor(panels, [&](size_t panel, int thread) {
    linear.PackPanel(source, panel, workspace.thread_scratch(thread).floats,
                     weight.get());
  });
  linear.weight_ = std::make_shared<const FloatBuffer>(std::move(weight));
  return linear;
}

void Linear::PackPanel(const Source& source, size_t panel, FloatBuffer& scratch,
                       float* weights) {
  const size_t width = gemm_->shape().width;
  const size_t first = panel * width;
  const size_t rows = std::min(width, source.out - first);
  // Room for rounded rows behind.
  float* const plain = scratch.Reserve(2 * width * in_);
  for (size_t i = 0; i < rows; ++i) {
    source.read_row(first + i, std::span(plain + i * in_, in_));
  }
  // Columns beyond `out` have zero weights.
  std::fill(plain + rows * in_, plain + width * in_, 0.0f);
  float* const packed = weights + panel * gemm_->packed_floats();
  if (precision_ != Precision::kInt8) {
    gemm_->Pack(plain, packed);
    return;
  }
  const int limit = HasInt8Products() ? 127 : kPairableWeight;
  auto* const rounded = reinterpret_cast<int8_t*>(plain + width * in_);
  for (size_t i = 0; i < width; ++i) {
    const QuantizedWeight weight = QuantizeWeight(
        std::span(plain + i * in_, in_), limit, rounded + i * in_);
    scales_.get()[first + i] = weight.scale;
    weight_sums_.As<int32_t>()[first + i] = weight.sum;
  }
  gemm_->Pack(rounded, packed);
}

size_t Linear::PaddedRows(size_t rows) { return RoundUp(rows, Gemm::kRowStep); }

size_t Linear::bytes() const {
  return (weight_->capacity() + bias_.capacity() + scales_.capacity() +
          weight_sums_.capacity()) *
         sizeof(float);
}

template <typename In>
Linear::Encoded Linear::Encode(const In* x, size_t rows,
                               Workspace& workspace) const {
  constexpr bool kFloats = std::is_same_v<In, float>;
  const auto rows_of = [&](auto* values, const QuantizedRow* scales) {
    return Encoded{reinterpret_cast<const std::byte*>(values),
                   in_ * sizeof(*values), scales};
  };
  const size_t padded = PaddedRows(rows);
  const auto row = [&](size_t r) { return std::span(x + r * in_, in_); };
  if (precision_ == Precision::kInt8) {
    auto* rounded = workspace.encoded.ReserveAs<uint8_t>(padded * in_);
    auto* scales =
        reinterpret_cast<QuantizedRow*>(workspace.row_scales.Reserve(2 * rows));
    static_assert(sizeof(QuantizedRow) == 2 * sizeof(float));
    workspace.pool().ParallelForRanges(
        rows, kRowsPerTask, [&](size_t begin, size_t end, int) {
          for (size_t r = begin; r < end; ++r) {
            scales[r] = QuantizeRow(row(r), rounded + r * in_);
          }
        });
    return rows_of(rounded, scales);
  }
  if constexpr (kFloats) {
    if (precision_ == Precision::kBf16) {
      Bf16* rounded = workspace.encoded.ReserveAs<Bf16>(padded * in_);
      workspace.pool().ParallelForRanges(
          rows, kRowsPerTask, [&](size_t begin, size_t end, int) {
            ToBf16(std::span(x + begin * in_, (end - begin) * in_),
                   rounded + begin * in_);
          });
      return rows_of(rounded, nullptr);
    }
  }
  return rows_of(x, nullptr);
}

template <typename In, typename Out>
void Linear::ForwardFirst(const In* x, size_t rows, size_t columns, Out* y,
                          Workspace& workspace) const {
  const Encoded encoded = Encode(x, rows, workspace);
  const size_t panels =
      (columns + gemm_->shape().width - 1) / gemm_->shape().width;
  const auto tiles = [&](size_t tile) { return (rows + tile - 1) / tile; };
  const size_t wanted_tasks = 2 * static_cast<size_t>(workspace.threads());
  size_t tile = Gemm::kTileRows;
  while (tile > kMinTileRows && tiles(tile) * panels < wanted_tasks) tile /= 2;
  // Panels inside tiles: a tile of x stays in cache.
  workspace.pool().ParallelFor(
      tiles(tile) * panels, [&](size_t task, int thread) {
        const size_t first = task / panels * tile;
        Encoded from = encoded;
        from.rows += first * from.row_bytes;
        if (from.scales != nullptr) from.scales += first;
        RunTask(from, std::min(tile, rows - first), y + first * columns,
                columns, task % panels, workspace.thread_scratch(thread));
      });
}

void Linear::ForwardOnThread(const float* x, size_t rows, float* y,
                             ThreadScratch& scratch) const {
  const Encoded from = {reinterpret_cast<const std::byte*>(x),
                        in_ * sizeof(float)};
  const size_t width = gemm_->shape().width;
  for (size_t panel = 0; panel * width < out_; ++panel) {
    RunTask(from, rows, y, out_, panel, scratch);
  }
}

template void Linear::ForwardFirst(const float*, size_t, size_t, float*,
                                   Workspace&) const;
template void Linear::ForwardFirst(const float*, size_t, size_t, Bf16*,
                                   Workspace&) const;
template void Linear::ForwardFirst(const Bf16*, size_t, size_t, float*,
                                   Workspace&) const;

template <typename Out>
void Linear::RunTask(const Encoded& x, size_t rows, Out* y, size_t columns,
                     size_t panel, ThreadScratch& scratch) const {
  const size_t first = panel * gemm_->shape().width;
  Gemm::Operands operands = {
      .x = x.rows,
      .rows = rows,
      .packed = weight_->get() + panel * gemm_->packed_floats(),
      .bias = bias_.get() + first};
  if constexpr (std::is_same_v<Out, float>) {
    if (precision_ == Precision::kFp32 && activation_ == Activation::kLinear &&
        first + gemm_->shape().width <= columns) {
      operands.y = y + first;
      operands.y_stride = columns;
    }
  }
  const auto finish = [&](const Gemm::Block& block) {
    const size_t column = first + block.column;
    if (column >= columns) return;
    Epilogue epilogue = {.precision = precision_,
                         .activation = activation_,
                         .bias = bias_.get() + column};
    if (precision_ == Precision::kInt8) {
      epilogue.rows = x.scales;
      epilogue.scales = scales_.get() + column;
      epilogue.weight_sums = weight_sums_.As<int32_t>() + column;
    }
    Finish(epilogue, block.sums, block.stride, rows,
           std::min(block.columns, columns - column), y + column, columns);
  };
  gemm_->Run(operands, scratch, finish);
}

}  // namespace deberta::model
