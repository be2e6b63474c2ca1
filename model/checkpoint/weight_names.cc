#include "model/checkpoint/weight_names.h"

namespace deberta::model {
namespace {

bool StripPrefix(std::string_view prefix, std::string_view& name) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  return true;
}

}  // namespace

std::string NormalizeWeightName(std::string_view name) {
  StripPrefix("module.", name);
  if (!StripPrefix("deberta.", name)) StripPrefix("bert.", name);
  std::string_view tail;
  if (name.ends_with("LayerNorm.gamma")) {
    name.remove_suffix(std::string_view("gamma").size());
    tail = "weight";
  } else if (name.ends_with("LayerNorm.beta")) {
    name.remove_suffix(std::string_view("beta").size());
    tail = "bias";
  }
  return std::string(name).append(tail);
}

std::string SumOfAddedWeight(std::string_view name) {
  name.remove_suffix(kAddedWeight.size());
  return std::string(name).append(".weight");
}

bool IsIgnoredWeight(std::string_view name) {
  for (const std::string_view head :
       {"lm_predictions.", "cls.", "mask_predictions.", "pooler.",
        "classifier.", "qa_outputs."}) {
    if (name.starts_with(head)) return true;
  }
  return name == "embeddings.position_embeddings.weight" ||
         name.ends_with("position_ids") || name.ends_with(kAddedWeight);
}

}  // namespace deberta::model
