#include "model/checkpoint/weight_names.h"

#include <algorithm>
#include <iterator>

namespace deberta::model {
namespace {

// Microsoft's, which several of its models have parts of.
constexpr std::string_view kPretrainingHeads[] = {"lm_predictions.",
                                                  "mask_predictions."};

constexpr std::string_view kMaskedModules[] = {
    "cls.predictions.decoder", "cls.predictions.transform.dense",
    "cls.predictions.transform.LayerNorm"};

constexpr std::string_view kTaskHeads[] = {"pooler.dense", "classifier",
                                           "qa_outputs"};

// Modules of one layer, below "encoder.layer.7.".
constexpr std::string_view kLayerModules[] = {
    "attention.self.in_proj",            // v1
    "attention.self.pos_proj",           // v1
    "attention.self.pos_q_proj",         // v1
    "attention.self.head_logits_proj",   // v1, talking_head
    "attention.self.head_weights_proj",  // v1, talking_head
    "attention.self.query_proj",
    "attention.self.key_proj",
    "attention.self.value_proj",
    "attention.self.pos_key_proj",
    "attention.self.pos_query_proj",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
};

constexpr std::string_view kOtherModules[] = {
    "embeddings.word_embeddings",
    "embeddings.position_embeddings",
    "embeddings.token_type_embeddings",
    "embeddings.embed_proj",
    "embeddings.LayerNorm",
    "encoder.rel_embeddings",
    "encoder.LayerNorm",
    "encoder.conv.conv",
    "encoder.conv.LayerNorm",
};

bool StripPrefix(std::string_view prefix, std::string_view& name) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  return true;
}

bool OfBackbone(std::string_view name) {
  return name.starts_with("embeddings.") || name.starts_with("encoder.");
}

// Whether `name` is the weight or the bias of one of `modules`.
template <size_t kSize>
bool IsOneOf(const std::string_view (&modules)[kSize], std::string_view name) {
  for (const std::string_view tail : {".weight", ".bias"}) {
    if (!name.ends_with(tail)) continue;
    name.remove_suffix(tail.size());
    return std::find(std::begin(modules), std::end(modules), name) !=
           std::end(modules);
  }
  return false;
}

bool IsBackboneWeight(std::string_view name) {
  if (!StripPrefix("encoder.layer.", name)) {
    return IsOneOf(kOtherModules, name);
  }
  const size_t digits = name.find_first_not_of("0123456789");
  if (digits == 0 || digits == name.npos || name[digits] != '.') return false;
  name.remove_prefix(digits + 1);
  return name == "attention.self.q_bias" || name == "attention.self.v_bias" ||
         IsOneOf(kLayerModules, name);
}

}  // namespace

std::string NormalizeWeightName(std::string_view name,
                                std::string_view backbone) {
  StripPrefix("module.", name);
  for (const std::string_view prefix :
       {backbone, std::string_view("deberta."), std::string_view("bert."),
        std::string_view("model."), std::string_view("backbone.")}) {
    std::string_view below = name;
    if (!StripPrefix(prefix, below) || !OfBackbone(below)) continue;
    name = below;
    break;
  }
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

WeightKind KindOfWeight(std::string_view name) {
  if (name == "embeddings.position_embeddings.weight" ||
      name.ends_with("position_ids") || name.ends_with(kAddedWeight)) {
    return WeightKind::kIdle;
  }
  for (const std::string_view head : kPretrainingHeads) {
    if (name.starts_with(head)) return WeightKind::kPretrainingHead;
  }
  if (name == "cls.predictions.bias" || IsOneOf(kMaskedModules, name)) {
    return WeightKind::kPretrainingHead;
  }
  if (IsOneOf(kTaskHeads, name)) return WeightKind::kTaskHead;
  return IsBackboneWeight(name) ? WeightKind::kBackbone : WeightKind::kForeign;
}

}  // namespace deberta::model
