// Products in every precision by oneDNN's matmul primitives.
//
// Numbers of rows are rounded up to a fixed set of buckets, so that few
// primitives exist whatever lengths arrive.

#ifndef MODEL_GEMM_ONEDNN_GEMM_H_
#define MODEL_GEMM_ONEDNN_GEMM_H_

#include <memory>

#include "absl/status/statusor.h"
#include "model/gemm/gemm.h"

namespace deberta::model {

class OneDnnGemm final : public Gemm {
 public:
  // With `tiles`, also by tile registers (AMX), by which oneDNN adds up a row
  // of Bf16 in an order that depends on the number of rows. Internal if oneDNN
  // has no primitive for the shape.
  static absl::StatusOr<std::shared_ptr<const Gemm>> Create(
      const GemmShape& shape, bool tiles);
  ~OneDnnGemm() override;

  size_t packed_floats() const override;
  void Pack(const void* row_major, float* packed) const override;
  void Run(const Operands& operands, ThreadScratch& scratch,
           Consumer consume) const override;

 private:
  struct Primitives;
  OneDnnGemm(const GemmShape& shape, bool tiles);

  // Threads' bindings refer to them too.
  const std::shared_ptr<const Primitives> primitives_;
};

}  // namespace deberta::model

#endif  // MODEL_GEMM_ONEDNN_GEMM_H_
