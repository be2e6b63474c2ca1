// Models whose head reads the caller's labels, by their directories.

#ifndef MODEL_CHECKPOINT_LABEL_CONFIG_H_
#define MODEL_CHECKPOINT_LABEL_CONFIG_H_

#include <optional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/gliclass_config.h"
#include "model/checkpoint/gliner2_config.h"
#include "model/checkpoint/gliner_config.h"
#include "model/checkpoint/label_head.h"

namespace deberta::model {

using LabelConfig = std::variant<GlinerConfig, GliclassConfig, Gliner2Config>;

inline LabelHead& HeadOf(LabelConfig& config) {
  return std::visit([](auto& of) -> LabelHead& { return of.head; }, config);
}
inline const LabelHead& HeadOf(const LabelConfig& config) {
  return std::visit([](const auto& of) -> const LabelHead& { return of.head; },
                    config);
}

struct LabelModel {
  Config encoder = {};
  LabelConfig config = {};
  // The file of `config`: "gliner_config.json", or "config.json".
  std::string file = {};
  // What stands before the names of the encoder's tensors.
  std::string encoder_prefix = {};
};

// Whether the directory has a gliner_config.json.
bool IsGliner(const std::string& directory);

// The model that the directory's configuration tells of; none if it has neither
// gliner_config.json nor a config.json of GLiClass or GLiNER2. Errors name the
// file.
absl::StatusOr<std::optional<LabelModel>> ReadLabelModel(
    const std::string& directory);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_LABEL_CONFIG_H_
