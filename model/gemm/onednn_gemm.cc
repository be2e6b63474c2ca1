#include "model/gemm/onednn_gemm.h"

#include <algorithm>
#include <array>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/runtime/isa.h"

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

void LimitIsa(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41);
      break;
    case Isa::kAvx2:
      dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
      break;
    case Isa::kAvx512:
      dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core_bf16);
      break;
    case Isa::kAmx:
      break;
  }
}

const dnnl::engine* NewEngine() {
  LimitIsa(FixMaxIsa());
  return new dnnl::engine(dnnl::engine::kind::cpu, 0);
}

const dnnl::engine& Engine() {
  static const auto& engine = *NewEngine();
  return engine;
}

// Of x, W and their product.
struct Types {
  memory::data_type x;
  memory::data_type weight;
  memory::data_type y;
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
  return {Type::f32, Type::f32, Type::f32};
}

memory::desc RowMajor(size_t rows, size_t columns, memory::data_type type) {
  return memory::desc({Dim(rows), Dim(columns)}, type,
                      memory::dims{Dim(columns), 1});
}

dnnl::primitive_attr Attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  // Whatever the environment says.
  attributes.set_fpmath_mode(dnnl::fpmath_mode::strict);
  return attributes;
}

// Empty but in fp32: see Gemm::Operands.
memory::desc Bias(const GemmShape& shape) {
  return shape.precision == Precision::kFp32
             ? RowMajor(1, shape.width, memory::data_type::f32)
             : memory::desc();
}

dnnl::matmul::primitive_desc DescribeFirst(size_t rows, const GemmShape& shape,
                                           const memory::desc& weight) {
  const Types types = TypesOf(shape.precision);
  const memory::desc x = RowMajor(rows, shape.in, types.x);
  const memory::desc y = RowMajor(rows, shape.width, types.y);
#if DNNL_VERSION_MAJOR >= 3
  return {Engine(), x, weight, Bias(shape), y, Attributes()};
#else
  return {dnnl::matmul::desc(x, weight, Bias(shape), y), Attributes(),
          Engine()};
#endif
}

// Whether the implementation may use tile registers: "gemm" ones choose when
// they run.
bool MayUseTiles(const dnnl::matmul::primitive_desc& description) {
  const std::string_view name = description.impl_info_str();
  return HasTileProducts() && (name.find("amx") != std::string_view::npos ||
                               name.find("gemm:") == 0);
}

dnnl::matmul::primitive_desc Describe(size_t rows, const GemmShape& shape,
                                      const memory::desc& weight, bool tiles) {
  dnnl::matmul::primitive_desc description = DescribeFirst(rows, shape, weight);
  while (!tiles && MayUseTiles(description)) {
    if (!description.next_impl()) {
      throw dnnl::error(dnnl_unimplemented, "none without tile registers");
    }
  }
  return description;
}

memory::desc PackedWeight(const GemmShape& shape, bool tiles) {
  const memory::desc any({Dim(shape.in), Dim(shape.width)},
                         TypesOf(shape.precision).weight,
                         memory::format_tag::any);
  return Describe(Gemm::kTileRows, shape, any, tiles).weights_desc();
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

// The objects by which one thread hands its arrays to oneDNN: making them anew
// for every product costs as much as a small product.
struct Bindings {
  dnnl::stream stream{Engine()};
  // The key keeps its address from being another's later.
  std::map<std::pair<std::shared_ptr<const void>, size_t>, Binding> bindings;
};

Bindings& BindingsOf(ThreadScratch& scratch) {
  if (scratch.products == nullptr) {
    scratch.products = std::make_shared<Bindings>();
  }
  return *static_cast<Bindings*>(scratch.products.get());
}

}  // namespace

struct OneDnnGemm::Primitives {
  Primitives(const GemmShape& shape, bool tiles)
      : weight(PackedWeight(shape, tiles)) {
    for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
      // One packing serves every bucket: the weight's layout is given here.
      const auto description =
          Describe(BucketRows(bucket), shape, weight, tiles);
      scratchpads[bucket] = description.scratchpad_desc();
      matmuls[bucket] = dnnl::matmul(description);
    }
  }

  const memory::desc weight;
  std::array<memory::desc, kBuckets> scratchpads;
  std::array<dnnl::matmul, kBuckets> matmuls;
};

absl::StatusOr<std::shared_ptr<const Gemm>> OneDnnGemm::Create(
    const GemmShape& shape, bool tiles) {
  try {
    return std::shared_ptr<const Gemm>(new OneDnnGemm(shape, tiles));
  } catch (const dnnl::error& error) {
    return absl::InternalError(absl::StrCat("oneDNN has no matrix product for ",
                                            shape.in, " x ", shape.width, ": ",
                                            error.what()));
  }
}

OneDnnGemm::OneDnnGemm(const GemmShape& shape, bool tiles)
    : Gemm(shape),
      primitives_(std::make_shared<const Primitives>(shape, tiles)) {}

OneDnnGemm::~OneDnnGemm() = default;

size_t OneDnnGemm::packed_floats() const {
  constexpr size_t kLine = kColumnStep * sizeof(float);
  return (primitives_->weight.get_size() + kLine - 1) / kLine * kColumnStep;
}

void OneDnnGemm::Pack(const void* row_major, float* packed) const {
  const auto type = shape().precision == Precision::kInt8
                        ? memory::data_type::s8
                        : memory::data_type::f32;
  const memory::desc plain({Dim(shape().in), Dim(shape().width)}, type,
                           memory::dims{1, Dim(shape().in)});
  memory from(plain, Engine(), const_cast<void*>(row_major));
  memory to(primitives_->weight, Engine(), packed);
  dnnl::stream stream(Engine());
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
}

void OneDnnGemm::Run(const Operands& operands, ThreadScratch& scratch,
                     Consumer consume) const {
  const size_t bucket = BucketOf(operands.rows);
  const size_t padded = BucketRows(bucket);
  const size_t width = shape().width;
  const memory::desc& scratchpad = primitives_->scratchpads[bucket];
  Bindings& own = BindingsOf(scratch);
  const auto [found, added] = own.bindings.try_emplace({primitives_, bucket});
  Binding& binding = found->second;
  if (added) {
    const Types types = TypesOf(shape().precision);
    const auto unbound = [](const memory::desc& desc) {
      return memory(desc, Engine(), DNNL_MEMORY_NONE);
    };
    binding.x = unbound(RowMajor(padded, shape().in, types.x));
    binding.weight = unbound(primitives_->weight);
    binding.y = unbound(RowMajor(padded, width, types.y));
    binding.scratchpad = unbound(scratchpad);
    binding.arguments = {{DNNL_ARG_SRC, binding.x},
                         {DNNL_ARG_WEIGHTS, binding.weight},
                         {DNNL_ARG_DST, binding.y},
                         {DNNL_ARG_SCRATCHPAD, binding.scratchpad}};
    if (shape().precision == Precision::kFp32) {
      binding.bias = unbound(Bias(shape()));
      binding.arguments.emplace(DNNL_ARG_BIAS, binding.bias);
    }
  }
  float* const sums = scratch.floats.Reserve(
      padded * width + scratchpad.get_size() / sizeof(float) + 1);
  Bind(binding.x, operands.x);
  Bind(binding.weight, operands.packed);
  if (binding.bias) Bind(binding.bias, operands.bias);
  Bind(binding.y, sums);
  Bind(binding.scratchpad, sums + padded * width);
  primitives_->matmuls[bucket].execute(own.stream, binding.arguments);
  own.stream.wait();
  if (operands.y == nullptr) return consume({0, width, sums, width});
  // The rows that fill up the bucket would be others' in y.
  for (size_t r = 0; r < operands.rows; ++r) {
    std::copy_n(sums + r * width, width, operands.y + r * operands.y_stride);
  }
}

}  // namespace deberta::model
