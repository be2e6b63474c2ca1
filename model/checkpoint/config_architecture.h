// Whose class a checkpoint was saved by. Private to the checkpoint library.

#ifndef MODEL_CHECKPOINT_CONFIG_ARCHITECTURE_H_
#define MODEL_CHECKPOINT_CONFIG_ARCHITECTURE_H_

#include "model/checkpoint/config.h"
#include "model/checkpoint/config_fields.h"

namespace deberta::model {

// Sets `config.architecture` from the keys `architectures` and `auto_map`.
// Refuses classes that are not transformers' own for `config.family`.
void ReadArchitecture(ConfigFields& fields, Config& config);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_CONFIG_ARCHITECTURE_H_
