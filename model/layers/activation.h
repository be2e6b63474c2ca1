// Activation functions by the reference's names (spec section 1).

#ifndef MODEL_LAYERS_ACTIVATION_H_
#define MODEL_LAYERS_ACTIVATION_H_

#include <span>

#include "model/checkpoint/config.h"

namespace deberta::model {

float Activate(Activation activation, float x);

// In place; nothing for kLinear.
void ApplyActivation(Activation activation, std::span<float> values);

}  // namespace deberta::model

#endif  // MODEL_LAYERS_ACTIVATION_H_
