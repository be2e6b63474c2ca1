#include "model/layers/linear.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/layers/activation.h"
#include "model/layers/int8.h"

namespace deberta::model {
namespace {

using dnnl::memory;

// Buckets: steps of 8 rows up to 64, of 16 up to 256.
constexpr size_t kFineRows = 64;
constexpr size_t kFineStep = 8;
constexpr size_t kTileRows = 256;
constexpr size_t kStep = 16;
constexpr size_t kBuckets =
    kFineRows / kFineStep + (kTileRows - kFineRows) / kStep;
// Tiles are cut no finer than this for want of tasks.
constexpr size_t kMinTileRows = 16;
// Columns of a packed panel are a multiple of the widest vector.
constexpr size_t kColumnStep = 16;
// Rows rounded by one task.
constexpr size_t kRowsPerTask = 16;
// Without an instruction for four products, AVX2 and SSE add pairs of products
// of bytes in 16 bits, which must not saturate: 2 * 255 * 64 < 2^15.
constexpr int kPairableWeight = 64;

constexpr size_t RoundUp(size_t n, size_t step) {
  return (n + step - 1) / step * step;
}

size_t BucketOf(size_t rows) {
  return rows <= kFineRows
             ? (rows - 1) / kFineStep
             : kFineRows / kFineStep + (rows - kFineRows - 1) / kStep;
}

size_t BucketRows(size_t bucket) {
  constexpr size_t kFineBuckets = kFineRows / kFineStep;
  return bucket < kFineBuckets
             ? (bucket + 1) * kFineStep
             : kFineRows + (bucket - kFineBuckets + 1) * kStep;
}

// Least padding first, then an even number of panels, then wide ones.
size_t PanelWidth(size_t out) {
  if (out < 64) return RoundUp(out, kColumnStep);
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

memory::dim Dim(size_t n) { return static_cast<memory::dim>(n); }

const dnnl::engine& Engine() {
  static const auto& engine = *new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

// Of x, W and their product.
struct Types {
  memory::data_type x = memory::data_type::f32;
  memory::data_type weight = memory::data_type::f32;
  memory::data_type y = memory::data_type::f32;
};

Types TypesOf(Precision precision) {
  using Type = memory::data_type;
  switch (precision) {
    case Precision::kFp32:
      break;
    case Precision::kBf16:
      return {Type::bf16, Type::bf16, Type::f32};
    case Precision::kInt8:
      return {Type::u8, Type::s8, Type::s32};
  }
  return {};
}

memory::desc RowMajor(size_t rows, size_t columns,
                      memory::data_type type = memory::data_type::f32) {
  return memory::desc({Dim(rows), Dim(columns)}, type,
                      memory::dims{Dim(columns), 1});
}

dnnl::primitive_attr Attributes(bool gelu) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (gelu) {
    dnnl::post_ops ops;
#if DNNL_VERSION_MAJOR >= 3
    ops.append_eltwise(dnnl::algorithm::eltwise_gelu_erf, 0.0f, 0.0f);
#else
    ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_gelu_erf, 0.0f, 0.0f);
#endif
    attributes.set_post_ops(ops);
  }
  return attributes;
}

dnnl::matmul::primitive_desc Describe(size_t rows, size_t in, size_t width,
                                      bool gelu, Precision precision,
                                      const memory::desc& weight) {
  const Types types = TypesOf(precision);
  const memory::desc x = RowMajor(rows, in, types.x);
  // Integer sums get theirs when they become floats.
  const memory::desc bias =
      precision == Precision::kInt8 ? memory::desc() : RowMajor(1, width);
  const memory::desc y = RowMajor(rows, width, types.y);
#if DNNL_VERSION_MAJOR >= 3
  return {Engine(), x, weight, bias, y, Attributes(gelu)};
#else
  return {dnnl::matmul::desc(x, weight, bias, y), Attributes(gelu), Engine()};
#endif
}

memory::desc AnyWeight(size_t in, size_t width, Precision precision) {
  return memory::desc({Dim(in), Dim(width)}, TypesOf(precision).weight,
                      memory::format_tag::any);
}

void Store(std::span<const float> values, float* to) {
  std::copy(values.begin(), values.end(), to);
}

void Store(std::span<const float> values, Bf16* to) { ToBf16(values, to); }

}  // namespace

class Gemm {
 public:
  Gemm(size_t in, size_t width, bool gelu, Precision precision)
      : in_(in),
        width_(width),
        precision_(precision),
        weight_(Describe(kTileRows, in, width, gelu, precision,
                         AnyWeight(in, width, precision))
                    .weights_desc()) {
    for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
      // One packing serves every bucket: the weight's layout is given here.
      const auto description =
          Describe(BucketRows(bucket), in, width, gelu, precision, weight_);
      scratchpads_[bucket] = description.scratchpad_desc();
      primitives_[bucket] = dnnl::matmul(description);
    }
  }

  size_t in() const { return in_; }
  size_t width() const { return width_; }
  size_t packed_floats() const {
    return RoundUp(weight_.get_size(), kColumnStep * sizeof(float)) /
           sizeof(float);
  }

  // `row_major` [width, in] -> `packed`, floats being rounded to the precision.
  void Pack(float* row_major, float* packed) const {
    Pack(row_major, memory::data_type::f32, packed);
  }
  void Pack(int8_t* row_major, float* packed) const {
    Pack(row_major, memory::data_type::s8, packed);
  }

  // x [padded, in] -> y [padded, width], where `padded` is the bucket of
  // `rows`.
  void Run(const void* x, size_t rows, const float* packed, const float* bias,
           void* y, float* scratchpad) const {
    const Types types = TypesOf(precision_);
    const size_t bucket = BucketOf(rows);
    const size_t padded = BucketRows(bucket);
    // oneDNN takes inputs as non-const pointers and does not write to them.
    const auto bind = [](const memory::desc& desc, const void* values) {
      return memory(desc, Engine(), const_cast<void*>(values));
    };
    dnnl::stream stream(Engine());
    std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_SRC, bind(RowMajor(padded, in_, types.x), x)},
        {DNNL_ARG_WEIGHTS, bind(weight_, packed)},
        {DNNL_ARG_DST, bind(RowMajor(padded, width_, types.y), y)},
        {DNNL_ARG_SCRATCHPAD, bind(scratchpads_[bucket], scratchpad)}};
    if (precision_ != Precision::kInt8) {
      arguments[DNNL_ARG_BIAS] = bind(RowMajor(1, width_), bias);
    }
    primitives_[bucket].execute(stream, arguments);
    stream.wait();
  }

  // Floats of y and of oneDNN's scratch for a product of `rows` rows.
  size_t result_floats(size_t rows) const {
    return BucketRows(BucketOf(rows)) * width_;
  }
  size_t scratchpad_floats(size_t rows) const {
    return scratchpads_[BucketOf(rows)].get_size() / sizeof(float) + 1;
  }

 private:
  void Pack(void* row_major, memory::data_type type, float* packed) const {
    dnnl::stream stream(Engine());
    const memory::desc plain({Dim(in_), Dim(width_)}, type,
                             memory::dims{1, Dim(in_)});
    memory from(plain, Engine(), row_major);
    memory to(weight_, Engine(), packed);
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
  }

  const size_t in_;
  const size_t width_;
  const Precision precision_;
  const memory::desc weight_;
  std::array<memory::desc, kBuckets> scratchpads_;
  std::array<dnnl::matmul, kBuckets> primitives_;
};

absl::StatusOr<std::shared_ptr<const Gemm>> GemmTable::Get(
    size_t in, size_t width, bool gelu, Precision precision) {
  std::shared_ptr<const Gemm>& gemm = gemms_[{in, width, gelu, precision}];
  if (gemm == nullptr) {
    try {
      gemm = std::make_shared<const Gemm>(in, width, gelu, precision);
    } catch (const dnnl::error& error) {
      return absl::InternalError(
          absl::StrCat("oneDNN has no matrix product for ", in, " x ", width,
                       ": ", error.what()));
    }
  }
  return gemm;
}

absl::StatusOr<Linear> Linear::Pack(const Source& source, GemmTable& gemms,
                                    ThreadPool& pool) {
  // oneDNN's gelu is exact, and costs bf16 more than its rounding is worth.
  const bool gelu = source.activation == Activation::kGelu &&
                    source.precision == Precision::kFp32;
  auto gemm =
      gemms.Get(source.in, PanelWidth(source.out), gelu, source.precision);
  if (!gemm.ok()) return gemm.status();
  Linear linear;
  linear.in_ = source.in;
  linear.out_ = source.out;
  linear.precision_ = source.precision;
  linear.gemm_ = *gemm;
  linear.activation_ = gelu ? Activation::kLinear : source.activation;
  const bool int8 = source.precision == Precision::kInt8;
  const size_t width = linear.gemm_->width();
  const size_t panels = (source.out + width - 1) / width;
  float* bias = linear.bias_.Reserve(panels * width);
  std::copy(source.bias.begin(), source.bias.end(), bias);
  if (int8) {
    linear.scales_.Reserve(panels * width);
    linear.offsets_.Reserve(panels * width);
  }
  const size_t packed_floats = linear.gemm_->packed_floats();
  float* packed = linear.weight_.Reserve(panels * packed_floats);
  pool.ParallelFor(panels, [&](size_t panel, int) {
    // Columns beyond `out` have zero weights.
    FloatBuffer rows;
    float* plain = rows.Reserve(width * source.in);
    for (size_t i = 0; i < width && panel * width + i < source.out; ++i) {
      source.read_row(panel * width + i,
                      std::span(plain + i * source.in, source.in));
    }
    if (int8) {
      linear.PackInt8(plain, panel, packed + panel * packed_floats);
    } else {
      linear.gemm_->Pack(plain, packed + panel * packed_floats);
    }
  });
  return linear;
}

void Linear::PackInt8(const float* rows, size_t panel, float* packed) {
  const size_t width = gemm_->width();
  const int limit = HasInt8Products() ? 127 : kPairableWeight;
  FloatBuffer buffer;
  auto* rounded = buffer.ReserveAs<int8_t>(width * in_);
  for (size_t i = 0; i < width; ++i) {
    const QuantizedWeight weight = QuantizeWeight(
        std::span(rows + i * in_, in_), limit, rounded + i * in_);
    scales_.get()[panel * width + i] = weight.scale;
    offsets_.As<int32_t>()[panel * width + i] = weight.offset;
  }
  gemm_->Pack(rounded, packed);
}

size_t Linear::PaddedRows(size_t rows) { return RoundUp(rows, kStep); }

size_t Linear::bytes() const {
  return (weight_.capacity() + bias_.capacity() + scales_.capacity() +
          offsets_.capacity()) *
         sizeof(float);
}

template <typename In>
Linear::Encoded Linear::Encode(const In* x, size_t rows,
                               Workspace& workspace) const {
  constexpr bool kFloats = std::is_same_v<In, float>;
  const auto rows_of = [&](auto* values, const float* scales) {
    return Encoded{reinterpret_cast<const std::byte*>(values),
                   in_ * sizeof(*values), scales};
  };
  const size_t padded = PaddedRows(rows);
  const auto row = [&](size_t r) { return std::span(x + r * in_, in_); };
  if (precision_ == Precision::kInt8) {
    auto* rounded = workspace.encoded.ReserveAs<uint8_t>(padded * in_);
    float* scales = workspace.row_scales.Reserve(rows);
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
  const size_t panels = (columns + gemm_->width() - 1) / gemm_->width();
  const auto tiles = [&](size_t tile) { return (rows + tile - 1) / tile; };
  const size_t wanted_tasks = 2 * static_cast<size_t>(workspace.threads());
  size_t tile = kTileRows;
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

template void Linear::ForwardFirst(const float*, size_t, size_t, float*,
                                   Workspace&) const;
template void Linear::ForwardFirst(const float*, size_t, size_t, Bf16*,
                                   Workspace&) const;
template void Linear::ForwardFirst(const Bf16*, size_t, size_t, float*,
                                   Workspace&) const;

template <typename Out>
void Linear::RunTask(const Encoded& x, size_t rows, Out* y, size_t columns,
                     size_t panel, FloatBuffer& scratch) const {
  const size_t width = gemm_->width();
  const size_t result_floats = gemm_->result_floats(rows);
  float* result =
      scratch.Reserve(result_floats + gemm_->scratchpad_floats(rows));
  gemm_->Run(x.rows, rows, weight_.get() + panel * gemm_->packed_floats(),
             bias_.get() + panel * width, result, result + result_floats);
  const size_t wanted = std::min(width, columns - panel * width);
  for (size_t r = 0; r < rows; ++r) {
    float* row = result + r * width;
    if (precision_ == Precision::kInt8) {
      row = DequantizeRow(reinterpret_cast<int32_t*>(row), width, x.scales[r],
                          {scales_.get() + panel * width,
                           offsets_.As<int32_t>() + panel * width,
                           bias_.get() + panel * width});
    }
    const std::span<float> values(row, wanted);
    if (precision_ == Precision::kFp32) {
      ApplyActivation(activation_, values);
    } else {
      ApplyActivationFast(activation_, values);
    }
    Store(values, y + r * columns + panel * width);
  }
}

bool LimitGemmIsa(Isa isa) {
  const auto limit = [](dnnl::cpu_isa widest) {
    return dnnl::set_max_cpu_isa(widest) == dnnl::status::success;
  };
  switch (isa) {
    case Isa::kBaseline:
      return limit(dnnl::cpu_isa::sse41);
    case Isa::kAvx2:
      return limit(dnnl::cpu_isa::avx2);
    case Isa::kAvx512:
      return limit(dnnl::cpu_isa::avx512_core_bf16);
    case Isa::kAmx:
      break;
  }
  return true;
}

}  // namespace deberta::model
