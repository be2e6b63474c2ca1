// What models have in common is held once: packed weights and word embeddings
// that are equal to the bit, as of models that put several heads on one
// backbone.

#ifndef MODEL_SHARED_WEIGHTS_H_
#define MODEL_SHARED_WEIGHTS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "model/checkpoint/checkpoint.h"
#include "model/checkpoint/tensor.h"
#include "model/runtime/workspace.h"

namespace deberta::model {

// A tensor, and the checkpoint whose memory it lies in.
struct HeldTensor {
  std::shared_ptr<const Checkpoint> holder;
  const TensorView* tensor = nullptr;
};

// Thread-safe.
class SharedWeights {
 public:
  // A buffer of the same contents that is still in use, else this one.
  std::shared_ptr<const FloatBuffer> Share(
      std::shared_ptr<const FloatBuffer> buffer);
  HeldTensor Share(HeldTensor tensor);

 private:
  struct Tensor {
    std::weak_ptr<const Checkpoint> holder;
    const TensorView* tensor = nullptr;
  };
  // By a hash of the size and of some of the bytes.
  using Buffers = std::multimap<size_t, std::weak_ptr<const FloatBuffer>>;
  using Tensors = std::multimap<size_t, Tensor>;

  std::mutex mutex_;
  Buffers buffers_;
  Tensors tensors_;
};

}  // namespace deberta::model

#endif  // MODEL_SHARED_WEIGHTS_H_
