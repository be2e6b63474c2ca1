// Full unrolling of the short loops over a tile's rows and vectors, which keeps
// the tile in registers.

#ifndef MODEL_GEMM_UNROLL_H_
#define MODEL_GEMM_UNROLL_H_

#if defined(__clang__)
#define DEBERTA_UNROLL _Pragma("clang loop unroll(full)")
#else
#define DEBERTA_UNROLL _Pragma("GCC unroll 8")
#endif

#endif  // MODEL_GEMM_UNROLL_H_
