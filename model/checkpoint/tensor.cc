#include "model/checkpoint/tensor.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace deberta::model {
namespace {

template <typename T>
T Load(const std::byte* bytes, size_t index) {
  T value;
  std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));
  return value;
}

// IEEE binary16 to binary32, without branches so that loops vectorise.
float HalfToFloat(uint16_t half) {
  constexpr uint32_t kRebias = (127 - 15) << 23;
  const uint32_t magnitude = half & 0x7fffu;
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t shifted = magnitude << 13;
  const uint32_t normal = shifted + kRebias;
  // Infinity and NaN keep an exponent of all ones.
  const uint32_t special = normal + kRebias;
  // A subnormal is an integer number of 2^-24.
  const uint32_t subnormal = std::bit_cast<uint32_t>(
      static_cast<float>(static_cast<int32_t>(magnitude)) * 0x1p-24f);
  const uint32_t finite = magnitude < 0x0400u ? subnormal : normal;
  return std::bit_cast<float>(sign | (magnitude >= 0x7c00u ? special : finite));
}

// Converts from the front as far as vectors reach; returns how many.
#if defined(__x86_64__)
__attribute__((target("avx2,f16c"))) size_t HalvesToFloatsAvx2(
    const std::byte* from, size_t count, float* to) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i halves = _mm_loadu_si128(
        reinterpret_cast<const __m128i*>(from + i * sizeof(uint16_t)));
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(halves));
  }
  return i;
}

size_t HalvesToFloats(const std::byte* from, size_t count, float* to) {
  // Every processor with AVX2 has F16C.
  return __builtin_cpu_supports("avx2") ? HalvesToFloatsAvx2(from, count, to)
                                        : 0;
}
#else
size_t HalvesToFloats(const std::byte*, size_t, float*) { return 0; }
#endif

}  // namespace

const char* ElementTypeName(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "F32";
    case DType::kF16:
      return "F16";
    case DType::kBF16:
      return "BF16";
    case DType::kF64:
      return "F64";
  }
  return "";
}

std::string ShapeText(std::span<const int64_t> shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

void ReadFloats(const TensorView& tensor, size_t first, std::span<float> out) {
  if (out.empty()) return;
  const std::byte* from = tensor.bytes.data() + first * SizeOf(tensor.dtype);
  const size_t count = out.size();
  float* to = out.data();
  switch (tensor.dtype) {
    case DType::kF32:
      std::memcpy(to, from, out.size_bytes());
      return;
    case DType::kF16:
      for (size_t i = HalvesToFloats(from, count, to); i < count; ++i) {
        to[i] = HalfToFloat(Load<uint16_t>(from, i));
      }
      return;
    case DType::kBF16:
      for (size_t i = 0; i < count; ++i) {
        const uint32_t high = Load<uint16_t>(from, i);
        to[i] = std::bit_cast<float>(high << 16);
      }
      return;
    case DType::kF64:
      for (size_t i = 0; i < count; ++i) {
        to[i] = static_cast<float>(Load<double>(from, i));
      }
      return;
  }
}

std::vector<float> ReadFloats(const TensorView& tensor) {
  std::vector<float> values(tensor.elements());
  ReadFloats(tensor, 0, values);
  return values;
}

}  // namespace deberta::model
