#include "model/gemm/products.h"

#include "absl/strings/str_cat.h"

namespace deberta::model {

absl::StatusOr<Products> ParseProducts(std::string_view name) {
  for (const Products products :
       {Products::kAuto, Products::kOwn, Products::kOneDnn}) {
    if (name == ProductsName(products)) return products;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--products: expected auto, own or onednn, got \"",
                   absl::string_view(name.data(), name.size()), "\""));
}

std::string_view ProductsName(Products products) {
  switch (products) {
    case Products::kAuto:
      break;
    case Products::kOwn:
      return "own";
    case Products::kOneDnn:
      return "onednn";
  }
  return "auto";
}

}  // namespace deberta::model
