// The names of a head's columns. Private to the checkpoint library.

#ifndef MODEL_CHECKPOINT_CONFIG_LABELS_H_
#define MODEL_CHECKPOINT_CONFIG_LABELS_H_

#include <string_view>

#include "model/checkpoint/config.h"
#include "model/checkpoint/config_fields.h"

namespace deberta::model {

// Sets `config.labels` and `config.entailment_label`. `text` is what `fields`
// were read from: the order of its keys counts.
void ReadLabels(std::string_view text, ConfigFields& fields, Config& config);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_CONFIG_LABELS_H_
