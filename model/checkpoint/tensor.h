// A read-only view of one tensor in a weights file.

#ifndef MODEL_CHECKPOINT_TENSOR_H_
#define MODEL_CHECKPOINT_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace deberta::model {

enum class DType { kF32, kF16, kBF16, kF64 };

// Bytes of one element.
constexpr size_t SizeOf(DType dtype) {
  switch (dtype) {
    case DType::kF16:
    case DType::kBF16:
      return 2;
    case DType::kF32:
      return 4;
    case DType::kF64:
      return 8;
  }
  return 0;
}

// As safetensors spells it: "BF16".
const char* ElementTypeName(DType dtype);

// Row-major, little-endian. The bytes belong to the Checkpoint that gave the
// view and need not be aligned.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;

  size_t elements() const { return bytes.size() / SizeOf(dtype); }
};

using TensorMap = std::map<std::string, TensorView, std::less<>>;
// Something about tensors by name.
using NameMap = std::map<std::string, std::string, std::less<>>;

// "[2, 3]", for messages.
std::string ShapeText(std::span<const int64_t> shape);

// Converts elements [first, first + out.size()) to float; exact for all but
// F64. REQUIRES: the range lies within the tensor.
void ReadFloats(const TensorView& tensor, size_t first, std::span<float> out);

// The whole tensor as floats.
std::vector<float> ReadFloats(const TensorView& tensor);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_TENSOR_H_
