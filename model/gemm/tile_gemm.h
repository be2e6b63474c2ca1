// Products of Bf16 and of bytes by tile registers (AMX).
//
// 32 rows by 32 columns are added up in four tiles. The weight is packed as
// these are read: for 32 columns, for each step of depth, two tiles.

#ifndef MODEL_GEMM_TILE_GEMM_H_
#define MODEL_GEMM_TILE_GEMM_H_

#include <memory>

#include "model/gemm/gemm.h"

namespace deberta::model {

class TileGemm final : public Gemm {
 public:
  // Null where there are no tiles for the precision, or `in` is not a whole
  // number of tiles.
  static std::shared_ptr<const Gemm> Create(const GemmShape& shape);

  size_t packed_floats() const override;
  void Pack(const void* row_major, float* packed) const override;
  void Run(const Operands& operands, ThreadScratch& scratch,
           Consumer consume) const override;

 private:
  explicit TileGemm(const GemmShape& shape);

  const size_t row_bytes_;  // of x
};

}  // namespace deberta::model

#endif  // MODEL_GEMM_TILE_GEMM_H_
