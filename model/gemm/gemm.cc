#include "model/gemm/gemm.h"

#include "model/gemm/float_gemm.h"
#include "model/gemm/onednn_gemm.h"
#include "model/gemm/tile_gemm.h"
#include "model/runtime/isa.h"

namespace deberta::model {

absl::StatusOr<std::shared_ptr<const Gemm>> GemmTable::Get(
    const GemmShape& shape) {
  FixMaxIsa();
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
