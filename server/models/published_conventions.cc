#include "server/models/published_conventions.h"

#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "files/regular_file.h"
#include "server/models/head_declaration.h"

namespace deberta::server {
namespace {

using Json = json::Value;

constexpr size_t kMaxBytes = size_t{64} << 20;

const Json* Find(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

// The names of {"0": name, ...}, by index; empty if it is no such map.
std::vector<std::string> NamesByIndex(const Json* map) {
  std::vector<std::string> names;
  if (map == nullptr || !map->is_object()) return names;
  for (size_t i = 0; i < map->size(); ++i) {
    const Json* name = Find(*map, std::to_string(i).c_str());
    if (name == nullptr || !name->is_string()) return {};
    names.push_back(name->get<std::string>());
  }
  return names;
}

constexpr char kComplexity[] = R"({"pooling": "mean", "outputs": [],
  "scores": [{"name": "prompt_complexity_score", "decimals": 5,
              "of": {"creativity_scope": 0.35, "reasoning": 0.25,
                     "constraint_ct": 0.15, "domain_knowledge": 0.15,
                     "contextual_knowledge": 0.05,
                     "number_of_few_shots": 0.05}}]})";
// In the order of head_0 ... head_7.
constexpr const char* kTargets[] = {
    "task_type",           "creativity_scope",
    "reasoning",           "contextual_knowledge",
    "number_of_few_shots", "domain_knowledge",
    "no_label_reason",     "constraint_ct"};

// The weighted sum of a target; null without weights.
Json TargetScore(const Json& config, const std::string& target) {
  const Json* weights = Find(config["weights_map"], target.c_str());
  if (weights == nullptr) return nullptr;
  Json score = Json::object();
  score["weights"] = *weights;
  score["decimals"] = 4u;
  const Json* divisors = Find(config, "divisor_map");
  const Json* divisor =
      divisors == nullptr ? nullptr : Find(*divisors, target.c_str());
  if (divisor != nullptr) score["divisor"] = *divisor;
  if (target == "number_of_few_shots") score["zero_below"] = 0.05;
  return score;
}

Json ComplexityHead(const Json& config) {
  Json head = *json::Parse(kComplexity);
  const auto tasks = NamesByIndex(Find(config, "task_type_map"));
  for (size_t i = 0; i < std::size(kTargets); ++i) {
    Json output = Json::object();
    output["name"] = kTargets[i];
    output["linear"] = absl::StrCat("head_", i, ".fc");
    if (i == 0 && !tasks.empty()) output["labels"] = tasks;
    const Json score = i == 0 ? Json() : TargetScore(config, kTargets[i]);
    if (!score.is_null()) output["score"] = score;
    head["outputs"].push_back(std::move(output));
  }
  return head;
}

// The class of sentence-transformers' activation; "" without.
absl::StatusOr<std::string> ActivationClass(const Json& config) {
  const Json* of = Find(config, "sentence_transformers");
  const Json* name = of == nullptr ? nullptr : Find(*of, "activation_fn");
  if (name == nullptr)
    name = Find(config, "sbert_ce_default_activation_function");
  if (name == nullptr) return std::string();
  if (name->is_string()) return name->get<std::string>();
  return absl::InvalidArgumentError(
      absl::StrCat("config.json: sentence-transformers' activation: expected "
                   "the name of a class, got ",
                   json::Shown(*name)));
}

absl::Status SetFunction(const Json& config, ModelSettings* settings) {
  const absl::StatusOr<std::string> name = ActivationClass(config);
  if (!name.ok()) return name.status();
  if (name->empty()) return absl::OkStatus();
  const std::string last = name->substr(name->rfind('.') + 1);
  if (name->starts_with("torch.nn.")) {
    if (last == "Sigmoid") settings->function = ScoreFunction::kSigmoid;
    if (last == "Identity") settings->function = ScoreFunction::kNone;
    if (last == "Softmax") settings->function = ScoreFunction::kSoftmax;
  }
  if (settings->function.has_value()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "config.json: sentence-transformers' activation: expected "
      "torch.nn.modules.activation.Sigmoid, ...activation.Softmax or "
      "torch.nn.modules.linear.Identity, got ",
      json::Shown(Json(*name)),
      "; \"function\": \"none\", \"sigmoid\" or \"softmax\" in deberta.json "
      "goes before it"));
}

}  // namespace

Json KnownHead(const Json& config) {
  if (Find(config, "target_sizes") != nullptr &&
      Find(config, "weights_map") != nullptr) {
    return ComplexityHead(config);
  }
  if (Find(config, "fc_dropout") != nullptr)
    return *json::Parse(R"({"outputs": [{"linear": "fc"}]})");
  const Json* architectures = Find(config, "architectures");
  if (architectures != nullptr && architectures->is_array() &&
      architectures->size() == 1 &&
      architectures->front() == "DesklibAIDetectionModel") {
    return *json::Parse(R"({"pooling": "mean", "outputs": [
        {"linear": "classifier", "function": "sigmoid"}]})");
  }
  return nullptr;
}

absl::Status AddPublishedConventions(const std::string& directory,
                                     ModelSettings* settings) {
  const absl::StatusOr<std::string> text =
      ReadSmallFile(directory + "/config.json", kMaxBytes);
  if (!text.ok()) return absl::OkStatus();
  const absl::StatusOr<Json> config = json::Parse(*text);
  if (!config.ok() || !config->is_object()) return absl::OkStatus();
  if (!settings->head.has_value() && !settings->fill_mask.has_value()) {
    const Json known = KnownHead(*config);
    if (!known.is_null()) {
      absl::StatusOr<HeadDeclaration> head =
          ReadHeadDeclaration("config.json, read as the head", known);
      if (!head.ok()) return head.status();
      settings->head = *std::move(head);
    }
  }
  if (settings->function.has_value()) return absl::OkStatus();
  return SetFunction(*config, settings);
}

}  // namespace deberta::server
