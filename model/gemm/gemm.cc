#include "model/gemm/gemm.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/gemm/comparison.h"
#include "model/gemm/float_gemm.h"
#include "model/gemm/onednn_gemm.h"
#include "model/gemm/tile_gemm.h"
#include "model/runtime/isa.h"

namespace deberta::model {

absl::StatusOr<std::shared_ptr<const Gemm>> GemmTable::Get(
    const GemmShape& shape) {
  FixMaxIsa();
  auto found = choices_.find(shape);
  if (found == choices_.end()) {
    absl::StatusOr<Choice> choice = Choose(shape);
    if (!choice.ok()) return choice.status();
    found = choices_.emplace(shape, *std::move(choice)).first;
  }
  return found->second.gemm;
}

absl::StatusOr<GemmTable::Choice> GemmTable::Choose(
    const GemmShape& shape) const {
  std::shared_ptr<const Gemm> own = FloatGemm::Create(shape);
  if (own == nullptr) own = TileGemm::Create(shape);
  if (own != nullptr && products_ == Products::kOwn) {
    return Choice{std::move(own), Products::kOwn};
  }
  // What our own leave is too little to be worth tiles that keep no order.
  const bool tiles = own != nullptr || products_ == Products::kOneDnn ||
                     shape.precision == Precision::kInt8;
  auto other = OneDnnGemm::Create(shape, tiles);
  if (own != nullptr && products_ == Products::kAuto &&
      !(other.ok() && IsAtLeastAsFast(**other, *own) &&
        RowsAreIndependent(**other))) {
    return Choice{std::move(own), Products::kOwn};
  }
  if (!other.ok()) return other.status();
  return Choice{*std::move(other), Products::kOneDnn};
}

std::string GemmTable::Description() const {
  std::map<Precision, std::set<std::string>> makers;
  for (const auto& [shape, choice] : choices_) {
    makers[shape.precision].emplace(ProductsName(choice.maker));
  }
  std::vector<std::string> parts;
  for (const auto& [precision, names] : makers) {
    // Both where they differ from shape to shape.
    parts.push_back(absl::StrCat(std::string(PrecisionName(precision)), " ",
                                 absl::StrJoin(names, " and ")));
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace deberta::model
