// y = act(x W^T + b), with the weight packed once.
//
// In bf16, x and W are rounded to bfloat16; in int8, to eight bits (see
// int8.h), each token and each output channel with its own scale. Bias and
// activation are fp32.
//
// The weight is cut into panels of output columns, each packed on its own, and
// the rows into tiles; a task multiplies one tile with one panel. A row's
// result does not depend on how many rows stand beside it, as far as Gemm's
// sums do not.

#ifndef MODEL_LAYERS_LINEAR_H_
#define MODEL_LAYERS_LINEAR_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/config.h"
#include "model/gemm/bf16.h"
#include "model/gemm/gemm.h"
#include "model/gemm/precision.h"
#include "model/layers/epilogue.h"
#include "model/runtime/workspace.h"

namespace deberta::model {

class Linear {
 public:
  struct Source {
    size_t out = 0;
    size_t in = 0;
    // Reads row `row` of the weight [out, in].
    std::function<void(size_t row, std::span<float> values)> read_row;
    std::vector<float> bias;  // [out], or empty
    Activation activation = Activation::kLinear;
    Precision precision = Precision::kFp32;
  };

  // Internal if oneDNN has no primitive for the shape.
  static absl::StatusOr<Linear> Pack(const Source& source, GemmTable& gemms,
                                     Workspace& workspace);
  // From now on the packed weight is read where `share` says, which gives a
  // buffer of the same contents.
  using Weight = std::shared_ptr<const FloatBuffer>;
  void ShareWeight(absl::FunctionRef<Weight(Weight)> share) {
    weight_ = share(std::move(weight_));
  }

  // Rows that Forward may read of an x of `rows` rows: buffers are reserved for
  // so many.
  static size_t PaddedRows(size_t rows);

  // x [PaddedRows(rows), in] -> y [rows, out], both dense, of float or, where
  // the precision is not fp32, of Bf16. REQUIRES: x and y do not overlap.
  template <typename In, typename Out>
  void Forward(const In* x, size_t rows, Out* y, Workspace& workspace) const {
    ForwardFirst(x, rows, out_, y, workspace);
  }
  // The first `columns` of the outputs alone: y [rows, columns].
  template <typename In, typename Out>
  void ForwardFirst(const In* x, size_t rows, size_t columns, Out* y,
                    Workspace& workspace) const;

  // The same by the calling thread alone, for few rows again and again: fp32,
  // at most Gemm::kTileRows rows.
  void ForwardOnThread(const float* x, size_t rows, float* y,
                       ThreadScratch& scratch) const;

  size_t in() const { return in_; }
  size_t out() const { return out_; }
  Precision precision() const { return precision_; }
  // Bytes of packed weight and bias, of a shared weight too.
  size_t bytes() const;

 private:
  Linear() = default;

  // x in the precision's own form.
  struct Encoded {
    const std::byte* rows = nullptr;
    size_t row_bytes = 0;
    const QuantizedRow* scales = nullptr;  // of the rows, in int8
  };
  template <typename In>
  Encoded Encode(const In* x, size_t rows, Workspace& workspace) const;
  // One panel, of y's first `columns` at most.
  template <typename Out>
  void RunTask(const Encoded& x, size_t rows, Out* y, size_t columns,
               size_t panel, ThreadScratch& scratch) const;
  // Reads one panel's rows and packs them into `weights`, in int8 with their
  // scales.
  void PackPanel(const Source& source, size_t panel, FloatBuffer& scratch,
                 float* weights);

  size_t in_ = 0;
  size_t out_ = 0;
  Precision precision_ = Precision::kFp32;
  Activation activation_ = Activation::kLinear;
  std::shared_ptr<const Gemm> gemm_;
  // [panels] of gemm_->packed_floats()
  Weight weight_;
  FloatBuffer bias_;  // [panels, width]
  // Of int8 [panels, width]: see Epilogue.
  FloatBuffer scales_;
  FloatBuffer weight_sums_;  // int32_t
};

}  // namespace deberta::model

#endif  // MODEL_LAYERS_LINEAR_H_
