#include "model/checkpoint/config_architecture.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace deberta::model {
namespace {

constexpr std::pair<std::string_view, Architecture> kTasks[] = {
    {"Model", Architecture::kModel},
    {"ForMaskedLM", Architecture::kMaskedLanguageModel},
    {"ForSequenceClassification", Architecture::kSequenceClassification},
    {"ForTokenClassification", Architecture::kTokenClassification},
    {"ForQuestionAnswering", Architecture::kQuestionAnswering},
    {"ForMultipleChoice", Architecture::kMultipleChoice},
    // The abstract class has no head of its own: the tensors decide.
    {"PreTrainedModel", Architecture::kUnknown},
};

constexpr std::string_view kOwnCode =
    "; what a class of its own answers is told by its code, and none is run "
    "here. A head of pooling, layers and linear outputs can be declared: "
    "\"head\" in deberta.json";

std::string_view FamilyName(Family family) {
  return family == Family::kDeberta ? "Deberta" : "DebertaV2";
}

// The class of that name, if it is one of transformers' for the family.
std::optional<Architecture> Find(std::string_view name, Family family) {
  if (name.starts_with("TF")) name.remove_prefix(2);
  if (!name.starts_with(FamilyName(family))) return std::nullopt;
  name.remove_prefix(FamilyName(family).size());
  for (const auto& [task, architecture] : kTasks) {
    // v1 has no class that chooses.
    if (architecture == Architecture::kMultipleChoice &&
        family == Family::kDeberta) {
      continue;
    }
    if (name == task) return architecture;
  }
  return std::nullopt;
}

std::string KnownClasses(Family family) {
  std::string known;
  for (const auto& [task, architecture] : kTasks) {
    if (architecture == Architecture::kUnknown ||
        (architecture == Architecture::kMultipleChoice &&
         family == Family::kDeberta)) {
      continue;
    }
    absl::StrAppend(&known, known.empty() ? "" : ", ",
                    std::string(FamilyName(family)), std::string(task));
  }
  return known;
}

// Code that AutoModel and its kin would import from the directory.
void CheckAutoMap(ConfigFields& fields) {
  const Json* map = fields.Find("auto_map");
  if (map == nullptr || map->empty()) return;
  std::string got = json::Shown(*map);
  if (const auto* entries = map->get_ptr<const Json::object_t*>()) {
    // Sorted by key: a model says more than a configuration.
    auto entry = entries->lower_bound("AutoModel");
    if (entry == entries->end()) entry = entries->begin();
    got = absl::StrCat(json::Shown(entry->second), " for ",
                       json::Shown(entry->first));
  }
  fields.Refuse("auto_map", "none", absl::StrCat(got, std::string(kOwnCode)));
}

// Code that pipeline() would import from the directory.
void CheckCustomPipelines(ConfigFields& fields) {
  const Json* pipelines = fields.Find("custom_pipelines");
  if (pipelines == nullptr || pipelines->empty()) return;
  fields.Refuse("custom_pipelines", "none",
                absl::StrCat(json::Shown(*pipelines), std::string(kOwnCode)));
}

void ReadClass(ConfigFields& fields, Config& config) {
  const Json* list = fields.Find("architectures");
  if (list == nullptr) return;
  if (!list->is_array()) {
    return fields.Refuse("architectures", "a list of one class name",
                         json::Shown(*list));
  }
  if (list->empty()) return;
  for (const Json& other : *list) {
    if (other == list->front()) continue;
    return fields.Refuse("architectures", "one class", json::Shown(*list));
  }
  const auto* name = list->front().get_ptr<const std::string*>();
  const std::optional<Architecture> architecture =
      name == nullptr ? std::nullopt : Find(*name, config.family);
  if (!architecture) {
    return fields.Refuse(
        "architectures",
        absl::StrCat("a class of transformers for this model_type (",
                     KnownClasses(config.family), ")"),
        absl::StrCat(json::Shown(list->front()), std::string(kOwnCode)));
  }
  config.architecture = *architecture;
  config.class_name = *name;
}

}  // namespace

void ReadArchitecture(ConfigFields& fields, Config& config) {
  ReadClass(fields, config);
  CheckAutoMap(fields);
  CheckCustomPipelines(fields);
}

}  // namespace deberta::model
