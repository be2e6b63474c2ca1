// Asking for memory ahead of its use.

#ifndef MODEL_GEMM_PREFETCH_H_
#define MODEL_GEMM_PREFETCH_H_

#include <cstddef>
#include <cstdint>

namespace deberta::model {

// Asks for the line `bytes` behind `from`, to be kept in caches from `kLevel`
// (3: all). It may lie beyond the array, where no pointer may point: so the
// address is computed as a number.
template <int kLevel>
inline void Prefetch(const void* from, size_t bytes) {
  __builtin_prefetch(
      reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(from) + bytes),
      0, kLevel);
}

}  // namespace deberta::model

#endif  // MODEL_GEMM_PREFETCH_H_
