// Whose products a model computes with: our own kernels' or oneDNN's.

#ifndef MODEL_GEMM_PRODUCTS_H_
#define MODEL_GEMM_PRODUCTS_H_

#include <string_view>

#include "absl/status/statusor.h"

namespace deberta::model {

enum class Products {
  // Ours, and oneDNN's where it is at least as fast and adds up a row in the
  // same order whatever stands beside it, as measured while a model loads.
  kAuto,
  // Ours; oneDNN's only where there are none: of bf16 and int8 without AMX.
  kOwn,
  // oneDNN's. A row's bits may depend on what stands beside it.
  kOneDnn,
};

// "auto", "own" or "onednn".
absl::StatusOr<Products> ParseProducts(std::string_view name);
std::string_view ProductsName(Products products);

}  // namespace deberta::model

#endif  // MODEL_GEMM_PRODUCTS_H_
