#include "model/checkpoint/config_fields.h"

#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/activation_names.h"

namespace deberta::model {
namespace {

constexpr std::pair<const char*, Activation> kActivations[] = {
    {"gelu", Activation::kGelu},
    {"gelu_python", Activation::kGelu},
    {"gelu_new", Activation::kGeluTanh},
    {"gelu_accurate", Activation::kGeluTanh},
    {"gelu_pytorch_tanh", Activation::kGeluTanh},
    {"gelu_python_tanh", Activation::kGeluTanh},
    {"gelu_fast", Activation::kGeluFast},
    {"quick_gelu", Activation::kQuickGelu},
    {"gelu_10", Activation::kGelu10},
    {"relu", Activation::kRelu},
    {"relu2", Activation::kRelu2},
    {"relu6", Activation::kRelu6},
    {"silu", Activation::kSilu},
    {"swish", Activation::kSilu},
    {"tanh", Activation::kTanh},
    {"sigmoid", Activation::kSigmoid},
    {"linear", Activation::kLinear},
    {"leaky_relu", Activation::kLeakyRelu},
    {"mish", Activation::kMish},
};

}  // namespace

absl::StatusOr<Json> ParseObject(std::string_view text) {
  absl::StatusOr<Json> object = json::Parse(text);
  if (!object.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("not valid JSON: ", object.status().message()));
  }
  if (!object->is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a JSON object, got ", json::Shown(*object)));
  }
  return object;
}

std::optional<Activation> FindActivation(std::string_view name) {
  for (const auto& [spelling, activation] : kActivations) {
    if (name == spelling) return activation;
  }
  return std::nullopt;
}

std::string ActivationNames() {
  std::string names;
  for (const auto& [spelling, activation] : kActivations) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", spelling);
  }
  return names;
}

std::optional<int64_t> AsInteger(const Json& value) {
  if (value.is_number_unsigned()) {
    const uint64_t number = value.get<uint64_t>();
    if (number > uint64_t{std::numeric_limits<int64_t>::max()}) {
      return std::nullopt;
    }
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::trunc(number) == number && std::abs(number) < 0x1p53) {
      return static_cast<int64_t>(number);
    }
  }
  return std::nullopt;
}

const Json* ConfigFields::Find(const char* key) const {
  const auto it = object_.find(key);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

void ConfigFields::Refuse(const char* key, const std::string& expected,
                          const std::string& got) {
  if (!status_.ok()) return;
  status_ = absl::InvalidArgumentError(
      absl::StrCat(key, ": expected ", expected, ", got ", got));
}

int64_t ConfigFields::Int(const char* key, int64_t fallback, int64_t least,
                          int64_t most) {
  const Json* value = Find(key);
  if (value == nullptr) return fallback;
  const std::optional<int64_t> number = AsInteger(*value);
  if (number && *number >= least && *number <= most) return *number;
  Refuse(key, absl::StrCat("an integer from ", least, " to ", most),
         json::Shown(*value));
  return fallback;
}

float ConfigFields::Real(const char* key, float fallback, double least,
                         double most) {
  const Json* value = Find(key);
  if (value == nullptr) return fallback;
  if (value->is_number()) {
    const double number = value->get<double>();
    if (number >= least && number <= most) return static_cast<float>(number);
  }
  Refuse(key, absl::StrCat("a number from ", least, " to ", most),
         json::Shown(*value));
  return fallback;
}

bool ConfigFields::Bool(const char* key, bool fallback) {
  const auto it = object_.find(key);
  if (it == object_.end()) return fallback;
  if (it->is_null()) return false;
  if (it->is_boolean()) return it->get<bool>();
  if (it->is_number()) return it->get<double>() != 0;
  Refuse(key, "true or false", json::Shown(*it));
  return fallback;
}

std::string ConfigFields::Text(const char* key, const char* fallback) {
  const Json* value = Find(key);
  if (value == nullptr) return fallback;
  if (value->is_string()) return value->get<std::string>();
  Refuse(key, "a string", json::Shown(*value));
  return fallback;
}

Activation ConfigFields::ActivationNamed(const char* key,
                                         const char* fallback) {
  const std::string name = Text(key, fallback);
  if (const auto activation = FindActivation(name)) return *activation;
  Refuse(key, absl::StrCat("one of ", ActivationNames()),
         json::Shown(Json(name)));
  return Activation::kGelu;
}

}  // namespace deberta::model
