#include "model/layers/gemm.h"

#include "model/layers/gemm_floats.h"
#include "model/layers/gemm_onednn.h"
#include "model/layers/gemm_tiles.h"

namespace deberta::model {

absl::StatusOr<std::shared_ptr<const Gemm>> GemmTable::Get(
    const GemmShape& shape) {
  std::shared_ptr<const Gemm>& gemm = gemms_[shape];
  if (gemm == nullptr) gemm = FloatGemm::Create(shape);
  if (gemm == nullptr) gemm = TileGemm::Create(shape);
  if (gemm == nullptr) {
    auto created = OneDnnGemm::Create(shape);
    if (!created.ok()) return created.status();
    gemm = *std::move(created);
  }
  return gemm;
}

}  // namespace deberta::model
