// Products of floats by vector registers.
//
// Six rows by as many columns as registers hold are added up at a time, over
// all of the weight's rows in order: a row's sums are the same bits whatever
// stands beside it. The weight is packed as it is read, in blocks of so many
// columns, each [in, columns].

#ifndef MODEL_GEMM_FLOAT_GEMM_H_
#define MODEL_GEMM_FLOAT_GEMM_H_

#include <memory>

#include "model/gemm/gemm.h"

namespace deberta::model {

class FloatGemm final : public Gemm {
 public:
  // Null unless the precision is fp32.
  static std::shared_ptr<const Gemm> Create(const GemmShape& shape);

  size_t packed_floats() const override;
  void Pack(const void* row_major, float* packed) const override;
  void Run(const Operands& operands, ThreadScratch& scratch,
           Consumer consume) const override;

 private:
  explicit FloatGemm(const GemmShape& shape) : Gemm(shape) {}
};

}  // namespace deberta::model

#endif  // MODEL_GEMM_FLOAT_GEMM_H_
