#include "tools/convert/tensor_plan.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_join.h"

namespace deberta::tools {
namespace {

constexpr std::string_view kPrefix = "deberta.";

bool IsOfEncoder(std::string_view name) {
  return name.starts_with("embeddings.") || name.starts_with("encoder.");
}

bool SameBytes(const model::TensorView* a, const model::TensorView* b) {
  return a != nullptr && b != nullptr && a->dtype == b->dtype &&
         a->shape == b->shape && a->bytes.size() == b->bytes.size() &&
         (a->bytes.data() == b->bytes.data() || a->bytes.empty() ||
          std::memcmp(a->bytes.data(), b->bytes.data(), a->bytes.size()) == 0);
}

// transformers ties the decoder to the embeddings, and its bias to the head's,
// and saves neither: reading both would only take room.
bool IsTiedCopy(const model::Checkpoint& checkpoint, std::string_view name) {
  const char* original = nullptr;
  if (name == "cls.predictions.decoder.weight") {
    original = "embeddings.word_embeddings.weight";
  } else if (name == "cls.predictions.decoder.bias") {
    original = "cls.predictions.bias";
  }
  return original != nullptr && checkpoint.config().tie_word_embeddings &&
         SameBytes(checkpoint.Find(name), checkpoint.Find(original));
}

// The rules of spec 6.2 and 6.4 that lead from one name to the other.
std::string Rule(std::string_view source, std::string_view target) {
  if (source.find('/') != source.npos) return "TensorFlow's to PyTorch's";
  std::vector<const char*> rules;
  if (source.starts_with("module.")) {
    source.remove_prefix(std::string_view("module.").size());
    rules.push_back("module. left out");
  }
  const bool had = source.starts_with(kPrefix);
  const bool has = target.starts_with(kPrefix);
  if (source.starts_with("bert.") && !target.starts_with("bert.")) {
    rules.push_back(has ? "bert. to deberta." : "bert. left out");
  } else if (had != has) {
    rules.push_back(has ? "deberta. added" : "deberta. left out");
  }
  if (source.ends_with(".gamma")) rules.push_back("gamma to weight");
  if (source.ends_with(".beta")) rules.push_back("beta to bias");
  return absl::StrJoin(rules, ", ");
}

}  // namespace

TensorPlan PlanTensors(const model::Checkpoint& checkpoint) {
  TensorPlan plan;
  plan.skipped = checkpoint.skipped();
  const model::TensorMap& tensors = checkpoint.tensors();
  const bool has_head =
      std::any_of(tensors.begin(), tensors.end(),
                  [](const auto& entry) { return !IsOfEncoder(entry.first); });
  for (const auto& [name, tensor] : tensors) {
    const std::string& source = checkpoint.source_names().find(name)->second;
    if (IsTiedCopy(checkpoint, name)) {
      plan.skipped.emplace(source, "a copy: tied by transformers");
      continue;
    }
    std::string target = name;
    if (checkpoint.label_config() != nullptr) {
      target = source;
    } else if (has_head && IsOfEncoder(name)) {
      target = std::string(kPrefix) + name;
    }
    plan.names.push_back({source, target, Rule(source, target)});
    plan.tensors.emplace(std::move(target), tensor);
  }
  return plan;
}

}  // namespace deberta::tools
