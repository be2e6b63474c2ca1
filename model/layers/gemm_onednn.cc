#include "model/layers/gemm_onednn.h"

#include <algorithm>
#include <array>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/layers/few_rows.h"
#include "model/layers/gemm_bindings.h"

namespace deberta::model {
namespace {

using dnnl::memory;

// Buckets: steps of 8 rows up to 64, then of 16.
constexpr size_t kFineRows = 64;
constexpr size_t kFineStep = 8;
constexpr size_t kStep = Gemm::kRowStep;
constexpr size_t kFineBuckets = kFineRows / kFineStep;
constexpr size_t kBuckets =
    kFineBuckets + (Gemm::kTileRows - kFineRows) / kStep;

// Up to so many rows, our own product is faster: see few_rows.h.
constexpr size_t kFewRows = 64;

size_t BucketOf(size_t rows) {
  return rows <= kFineRows ? (rows - 1) / kFineStep
                           : kFineBuckets + (rows - kFineRows - 1) / kStep;
}

size_t BucketRows(size_t bucket) {
  return bucket < kFineBuckets
             ? (bucket + 1) * kFineStep
             : kFineRows + (bucket - kFineBuckets + 1) * kStep;
}

memory::dim Dim(size_t n) { return static_cast<memory::dim>(n); }

// By tiles oneDNN adds up a row in an order that depends on the number of rows;
// what TileGemm leaves is too little to be worth that.
const dnnl::engine* NewEngine() {
  if (HasTileProducts()) {
    dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core_bf16);
  }
  return new dnnl::engine(dnnl::engine::kind::cpu, 0);
}

const dnnl::engine& Engine() {
  static const auto& engine = *NewEngine();
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

memory::desc RowMajor(size_t rows, size_t columns, memory::data_type type) {
  return memory::desc({Dim(rows), Dim(columns)}, type,
                      memory::dims{Dim(columns), 1});
}

size_t OutputStride(const GemmShape& shape) {
  return std::max(shape.width, shape.y_stride);
}

memory::desc BiasOf(const GemmShape& shape) {
  return shape.precision == Precision::kFp32
             ? RowMajor(1, shape.width, memory::data_type::f32)
             : memory::desc();
}

memory::desc Output(size_t rows, const GemmShape& shape) {
  return memory::desc({Dim(rows), Dim(shape.width)}, TypesOf(shape.precision).y,
                      memory::dims{Dim(OutputStride(shape)), 1});
}

dnnl::primitive_attr Attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

dnnl::matmul::primitive_desc Describe(size_t rows, const GemmShape& shape,
                                      const memory::desc& weight) {
  const Types types = TypesOf(shape.precision);
  const memory::desc x = RowMajor(rows, shape.in, types.x);
  const memory::desc y = Output(rows, shape);
#if DNNL_VERSION_MAJOR >= 3
  return {Engine(), x, weight, BiasOf(shape), y, Attributes()};
#else
  return {dnnl::matmul::desc(x, weight, BiasOf(shape), y), Attributes(),
          Engine()};
#endif
}

memory::desc PackedWeight(const GemmShape& shape) {
  const memory::desc any({Dim(shape.in), Dim(shape.width)},
                         TypesOf(shape.precision).weight,
                         memory::format_tag::any);
  return Describe(Gemm::kTileRows, shape, any).weights_desc();
}

// Of one bucket. Copies of a memory share its handle.
struct Binding {
  memory x;
  memory weight;
  memory bias;
  memory y;
  memory scratchpad;
  std::unordered_map<int, memory> arguments;
};

// oneDNN takes inputs as non-const pointers and does not write to them.
void Bind(memory& to, const void* values) {
  to.set_data_handle(const_cast<void*>(values));
}

// Columns of the blocks in which oneDNN laid a weight out, if MultiplyFewRows
// can read them; else 0.
size_t ReadableBlock(const GemmShape& shape, const memory::desc& weight) {
  using Tag = memory::format_tag;
  if (shape.precision != Precision::kFp32) return 0;
  const auto laid_out_as = [&](Tag tag) {
    return weight == memory::desc({Dim(shape.in), Dim(shape.width)},
                                  memory::data_type::f32, tag);
  };
  if (laid_out_as(Tag::ab)) return shape.width;
  constexpr std::pair<Tag, size_t> kBlocked[] = {{Tag::BA16a64b, 64},
                                                 {Tag::BA16a48b, 48},
                                                 {Tag::BA16a32b, 32},
                                                 {Tag::BA16a16b, 16}};
  for (const auto& [tag, columns] : kBlocked) {
    if (laid_out_as(tag)) return columns;
  }
  return 0;
}

FewRows ForFewRows(const GemmShape& shape, size_t block, size_t depth_block,
                   const Gemm::Operands& operands, float* y) {
  // Blocks hold whole steps of depth.
  constexpr size_t kDepthStep = 16;
  const size_t depth = block == shape.width ? shape.in
                                            : (shape.in + kDepthStep - 1) /
                                                  kDepthStep * kDepthStep;
  return {.x = static_cast<const float*>(operands.x),
          .rows = operands.rows,
          .depth = shape.in,
          .depth_block = depth_block,
          .weight = operands.packed,
          .block = block,
          .block_step = depth * block,
          .bias = operands.bias,
          .y = y,
          .columns = shape.width};
}

void Reorder(const GemmShape& shape, const void* row_major,
             memory::data_type type, const memory::desc& layout,
             float* packed) {
  dnnl::stream stream(Engine());
  const memory::desc plain({Dim(shape.in), Dim(shape.width)}, type,
                           memory::dims{1, Dim(shape.in)});
  memory from(plain, Engine(), const_cast<void*>(row_major));
  memory to(layout, Engine(), packed);
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
}

// Numbers whose sums show in which order they were added.
void FillUneven(FloatBuffer& buffer, size_t n) {
  float* const values = buffer.Reserve(n);
  uint32_t state = 1;
  for (size_t i = 0; i < n; ++i) {
    state = state * 1664525 + 1013904223;  // Numerical Recipes
    values[i] = static_cast<float>(static_cast<int32_t>(state)) * 0x1p-31f;
  }
}

}  // namespace

struct OneDnnGemm::Primitives {
  explicit Primitives(const GemmShape& shape)
      : weight(PackedWeight(shape)), block(ReadableBlock(shape, weight)) {
    for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
      // One packing serves every bucket: the weight's layout is given here.
      const auto description = Describe(BucketRows(bucket), shape, weight);
      scratchpads[bucket] = description.scratchpad_desc();
      matmuls[bucket] = dnnl::matmul(description);
    }
    if (block != 0) depth_block = FindDepthBlock(shape);
    // A weight that stands in rows is packed anew for each of oneDNN's
    // products.
    if (depth_block != 0)
      few_rows = block == shape.width ? kTileRows : kFewRows;
  }

  // The depth over which oneDNN adds up a sum before it adds it to the others:
  // that with which MultiplyFewRows gives the same bits. 0 if none does.
  size_t FindDepthBlock(const GemmShape& shape) const;

  const memory::desc weight;
  // For MultiplyFewRows; 0 if it cannot be used.
  const size_t block;
  size_t depth_block = 0;
  size_t few_rows = 0;  // up to so many rows it is
  std::array<memory::desc, kBuckets> scratchpads;
  std::array<dnnl::matmul, kBuckets> matmuls;
};

struct GemmBindings::Parts {
  dnnl::stream stream{Engine()};
  // The key keeps its address from being another's later.
  std::map<std::pair<std::shared_ptr<const void>, size_t>, Binding> bindings;
};

GemmBindings::GemmBindings() : parts_(std::make_unique<Parts>()) {}
GemmBindings::GemmBindings(GemmBindings&&) noexcept = default;
GemmBindings& GemmBindings::operator=(GemmBindings&&) noexcept = default;
GemmBindings::~GemmBindings() = default;

absl::StatusOr<std::shared_ptr<const Gemm>> OneDnnGemm::Create(
    const GemmShape& shape) {
  try {
    return std::shared_ptr<const Gemm>(new OneDnnGemm(shape));
  } catch (const dnnl::error& error) {
    return absl::InternalError(absl::StrCat("oneDNN has no matrix product for ",
                                            shape.in, " x ", shape.width, ": ",
                                            error.what()));
  }
}

OneDnnGemm::OneDnnGemm(const GemmShape& shape)
    : Gemm(shape), primitives_(std::make_shared<const Primitives>(shape)) {}

OneDnnGemm::~OneDnnGemm() = default;

size_t OneDnnGemm::packed_floats() const {
  constexpr size_t kLine = kColumnStep * sizeof(float);
  return (primitives_->weight.get_size() + kLine - 1) / kLine * kColumnStep;
}

size_t OneDnnGemm::Primitives::FindDepthBlock(const GemmShape& shape) const {
  constexpr size_t kRows = kFineStep;
  const size_t stride = OutputStride(shape);
  FloatBuffer x;
  FloatBuffer row_major;
  FloatBuffer bias;
  FillUneven(x, kRows * shape.in);
  FillUneven(row_major, shape.width * shape.in);
  FillUneven(bias, shape.width);
  FloatBuffer packed;
  Reorder(shape, row_major.get(), memory::data_type::f32, weight,
          packed.Reserve(weight.get_size() / sizeof(float) + 1));
  FloatBuffer expected;
  FloatBuffer scratchpad;
  const auto bind = [](const memory::desc& desc, float* values) {
    return memory(desc, Engine(), values);
  };
  dnnl::stream stream(Engine());
  matmuls[0].execute(
      stream,
      {{DNNL_ARG_SRC,
        bind(RowMajor(kRows, shape.in, memory::data_type::f32), x.get())},
       {DNNL_ARG_WEIGHTS, bind(weight, packed.get())},
       {DNNL_ARG_BIAS, bind(BiasOf(shape), bias.get())},
       {DNNL_ARG_DST,
        bind(Output(kRows, shape), expected.Reserve(kRows * stride))},
       {DNNL_ARG_SCRATCHPAD,
        bind(scratchpads[0],
             scratchpad.Reserve(scratchpads[0].get_size() / sizeof(float) +
                                1))}});
  stream.wait();
  std::vector<float> y(shape.width);
  const auto same_bits = [&](size_t depth) {
    MultiplyFewRows(ForFewRows(
        shape, block, depth,
        {.x = x.get(), .rows = 1, .packed = packed.get(), .bias = bias.get()},
        y.data()));
    return std::equal(y.begin(), y.end(), expected.get());
  };
  for (size_t depth = kStep; depth < shape.in; depth += kStep) {
    if (same_bits(depth)) return depth;
  }
  return same_bits(shape.in) ? shape.in : 0;
}

void OneDnnGemm::Pack(const float* row_major, float* packed) const {
  Reorder(shape(), row_major, memory::data_type::f32, primitives_->weight,
          packed);
}

void OneDnnGemm::PackInt8(const int8_t* row_major, float* packed) const {
  Reorder(shape(), row_major, memory::data_type::s8, primitives_->weight,
          packed);
}

void OneDnnGemm::Run(const Operands& operands, ThreadScratch& scratch,
                     Consumer consume) const {
  if (operands.rows <= primitives_->few_rows) {
    RunFewRows(operands, scratch, consume);
    return;
  }
  const size_t bucket = BucketOf(operands.rows);
  const size_t padded = BucketRows(bucket);
  const size_t stride = OutputStride(shape());
  const memory::desc& scratchpad = primitives_->scratchpads[bucket];
  GemmBindings::Parts& parts = scratch.gemm_bindings.parts();
  const auto [found, added] = parts.bindings.try_emplace({primitives_, bucket});
  Binding& binding = found->second;
  if (added) {
    const Types types = TypesOf(shape().precision);
    const auto unbound = [](const memory::desc& desc) {
      return memory(desc, Engine(), DNNL_MEMORY_NONE);
    };
    binding.x = unbound(RowMajor(padded, shape().in, types.x));
    binding.weight = unbound(primitives_->weight);
    binding.y = unbound(Output(padded, shape()));
    binding.scratchpad = unbound(scratchpad);
    binding.arguments = {{DNNL_ARG_SRC, binding.x},
                         {DNNL_ARG_WEIGHTS, binding.weight},
                         {DNNL_ARG_DST, binding.y},
                         {DNNL_ARG_SCRATCHPAD, binding.scratchpad}};
    if (shape().precision == Precision::kFp32) {
      binding.bias = unbound(BiasOf(shape()));
      binding.arguments[DNNL_ARG_BIAS] = binding.bias;
    }
  }
  float* const sums = scratch.floats.Reserve(
      padded * stride + scratchpad.get_size() / sizeof(float) + 1);
  // Rows beyond are written too.
  const bool straight = operands.y != nullptr && operands.rows == padded;
  float* const y = straight ? operands.y : sums;
  Bind(binding.x, operands.x);
  Bind(binding.weight, operands.packed);
  if (shape().precision == Precision::kFp32) Bind(binding.bias, operands.bias);
  Bind(binding.y, y);
  Bind(binding.scratchpad, sums + padded * stride);
  primitives_->matmuls[bucket].execute(parts.stream, binding.arguments);
  parts.stream.wait();
  consume({0, shape().width, y, stride});
}

void OneDnnGemm::RunFewRows(const Operands& operands, ThreadScratch& scratch,
                            Consumer consume) const {
  const size_t width = shape().width;
  float* const y = scratch.floats.Reserve(kTileRows * width);
  MultiplyFewRows(ForFewRows(shape(), primitives_->block,
                             primitives_->depth_block, operands, y));
  consume({0, width, y, width});
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
