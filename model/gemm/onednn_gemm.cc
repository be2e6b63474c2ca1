#include "model/gemm/onednn_gemm.h"

#include <array>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
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

// By tiles oneDNN adds up a row in an order that depends on the number of rows;
// what TileGemm leaves is too little to be worth that.
dnnl::cpu_isa WidestIsaOfOneDnn() {
  switch (FixMaxIsa()) {
    case Isa::kBaseline:
      return dnnl::cpu_isa::sse41;
    case Isa::kAvx2:
      return dnnl::cpu_isa::avx2;
    case Isa::kAvx512:
    case Isa::kAmx:
      break;
  }
  return dnnl::cpu_isa::avx512_core_bf16;
}

const dnnl::engine* NewEngine() {
  dnnl::set_max_cpu_isa(WidestIsaOfOneDnn());
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
  return precision == Precision::kInt8
             ? Types{Type::u8, Type::s8, Type::s32}
             : Types{Type::bf16, Type::bf16, Type::f32};
}

memory::desc RowMajor(size_t rows, size_t columns, memory::data_type type) {
  return memory::desc({Dim(rows), Dim(columns)}, type,
                      memory::dims{Dim(columns), 1});
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
  const memory::desc y = RowMajor(rows, shape.width, types.y);
#if DNNL_VERSION_MAJOR >= 3
  return {Engine(), x, weight, y, Attributes()};
#else
  return {dnnl::matmul::desc(x, weight, y), Attributes(), Engine()};
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
  explicit Primitives(const GemmShape& shape) : weight(PackedWeight(shape)) {
    for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
      // One packing serves every bucket: the weight's layout is given here.
      const auto description = Describe(BucketRows(bucket), shape, weight);
      scratchpads[bucket] = description.scratchpad_desc();
      matmuls[bucket] = dnnl::matmul(description);
    }
  }

  const memory::desc weight;
  std::array<memory::desc, kBuckets> scratchpads;
  std::array<dnnl::matmul, kBuckets> matmuls;
};

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
  }
  float* const sums = scratch.floats.Reserve(
      padded * width + scratchpad.get_size() / sizeof(float) + 1);
  Bind(binding.x, operands.x);
  Bind(binding.weight, operands.packed);
  Bind(binding.y, sums);
  Bind(binding.scratchpad, sums + padded * width);
  primitives_->matmuls[bucket].execute(own.stream, binding.arguments);
  own.stream.wait();
  consume({0, width, sums, width});
}

}  // namespace deberta::model
