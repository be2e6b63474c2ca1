// Activations by the names that configurations give them (spec section 1).

#ifndef MODEL_CHECKPOINT_ACTIVATION_NAMES_H_
#define MODEL_CHECKPOINT_ACTIVATION_NAMES_H_

#include <optional>
#include <string>
#include <string_view>

#include "model/checkpoint/config.h"

namespace deberta::model {

std::optional<Activation> FindActivation(std::string_view name);

// "gelu, gelu_python, ...".
std::string ActivationNames();

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_ACTIVATION_NAMES_H_
