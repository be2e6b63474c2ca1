// The tensors of a declared head. Private to the weights library.

#ifndef MODEL_WEIGHTS_BIND_DECLARED_HEAD_H_
#define MODEL_WEIGHTS_BIND_DECLARED_HEAD_H_

#include "absl/status/statusor.h"
#include "model/weights/head_weights.h"

namespace deberta::model {

// See BindHead. InvalidArgument where an output has other columns than labels.
absl::StatusOr<HeadWeights> BindDeclared(const DeclaredHead& declared,
                                         const Config& config,
                                         TensorBinder& binder);

}  // namespace deberta::model

#endif  // MODEL_WEIGHTS_BIND_DECLARED_HEAD_H_
