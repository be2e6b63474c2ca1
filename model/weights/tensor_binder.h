// Looks a checkpoint's tensors up by name and shape, and remembers which were
// asked for and which were not as they should be.

#ifndef MODEL_WEIGHTS_TENSOR_BINDER_H_
#define MODEL_WEIGHTS_TENSOR_BINDER_H_

#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "model/checkpoint/checkpoint.h"
#include "model/checkpoint/tensor.h"

namespace deberta::model {

// y = x W^T + b, as in PyTorch: weight [out, in], bias [out] or absent.
struct LinearWeights {
  const TensorView* weight = nullptr;
  const TensorView* bias = nullptr;
};

struct LayerNormWeights {
  const TensorView* weight = nullptr;  // [size]
  const TensorView* bias = nullptr;    // [size]
};

class TensorBinder {
 public:
  explicit TensorBinder(const Checkpoint& checkpoint)
      : checkpoint_(checkpoint) {}

  bool Has(std::string_view name) const;
  // Whether any tensor's name begins so.
  bool HasAny(std::string_view prefix) const;

  // Rows of the matrix of that name; 0 if there is none.
  int64_t RowsOf(std::string_view name) const;

  // Null, and noted, if there is no such tensor; noted too if it has another
  // shape.
  const TensorView* Tensor(const std::string& name,
                           std::initializer_list<int64_t> shape);
  // `name`.weight [out, in] and `name`.bias [out].
  LinearWeights Linear(const std::string& name, int64_t out, int64_t in);
  // The same, where the bias may be absent.
  LinearWeights LinearWithOptionalBias(const std::string& name, int64_t out,
                                       int64_t in);
  LayerNormWeights Norm(const std::string& name, int64_t size);

  // InvalidArgument that lists everything that was not as it should be.
  absl::Status status() const;
  // All tensors found, each as often as it was asked for.
  const std::vector<const TensorView*>& found() const { return found_; }
  // Elements of all tensors asked for, each once.
  int64_t parameters() const { return parameters_; }
  // Tensors that nothing asked for, but for idle ones and pretraining heads
  // (WeightKind).
  std::vector<std::string> Unexpected() const;

 private:
  const Checkpoint& checkpoint_;
  std::set<std::string, std::less<>> used_;
  std::vector<const TensorView*> found_;
  std::vector<std::string> missing_;
  std::vector<std::string> misshapen_;
  int64_t parameters_ = 0;
};

// "a, b, c and 4 more", short enough for a message.
std::string ListOfNames(const std::vector<std::string>& names);

}  // namespace deberta::model

#endif  // MODEL_WEIGHTS_TENSOR_BINDER_H_
