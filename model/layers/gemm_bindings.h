// The objects by which one thread hands its arrays to oneDNN: making them anew
// for every product costs as much as a small product.

#ifndef MODEL_LAYERS_GEMM_BINDINGS_H_
#define MODEL_LAYERS_GEMM_BINDINGS_H_

#include <memory>

namespace deberta::model {

class GemmBindings {
 public:
  struct Parts;

  GemmBindings();
  GemmBindings(GemmBindings&&) noexcept;
  GemmBindings& operator=(GemmBindings&&) noexcept;
  ~GemmBindings();

  Parts& parts() { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace deberta::model

#endif  // MODEL_LAYERS_GEMM_BINDINGS_H_
