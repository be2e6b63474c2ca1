// The processor's tile registers (AMX): 8 tiles of 16 rows of 64 bytes.
//
// Assembly, because intrinsics cannot be inlined into functions that are
// compiled for less. REQUIRES: HasTileProducts(), and between Configure() and
// Release() on the thread.

#ifndef MODEL_GEMM_TILE_MULTIPLY_H_
#define MODEL_GEMM_TILE_MULTIPLY_H_

#if defined(__x86_64__)

#include <cstddef>
#include <cstdint>

namespace deberta::model::tile {

// Loads the layout in which every tile has its full size.
inline void Configure() {
  struct alignas(64) {
    uint8_t palette = 1;
    uint8_t start_row = 0;
    uint8_t reserved[14] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } static constexpr kLayout;
  static_assert(sizeof(kLayout) == 64);
  asm volatile("ldtilecfg %0" : : "m"(kLayout));
}

inline void Release() { asm volatile("tilerelease"); }

template <int kTile>
inline void Zero() {
  asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
}

// Rows are `stride` bytes apart.
template <int kTile>
inline void Load(const void* from, size_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2"
               :
               : "r"(from), "r"(stride), "i"(kTile)
               : "memory");
}

template <int kTile>
inline void Store(void* to, size_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)"
               :
               : "r"(to), "r"(stride), "i"(kTile)
               : "memory");
}

// sum [16, 16] += a [16, 32] b, where row k of b holds columns of the pairs
// b(2 k, column), b(2 k + 1, column).
template <int kSum, int kA, int kB>
inline void MultiplyBf16() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0"
               :
               : "i"(kSum), "i"(kA), "i"(kB));
}

// The same of int32_t sums: a [16, 64] of uint8_t, b of int8_t in groups of
// four.
template <int kSum, int kA, int kB>
inline void MultiplyUnsignedBySigned() {
  asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0"
               :
               : "i"(kSum), "i"(kA), "i"(kB));
}

}  // namespace deberta::model::tile

#endif

#endif  // MODEL_GEMM_TILE_MULTIPLY_H_
