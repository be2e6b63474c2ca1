#include "server/models/head_declaration.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/activation_names.h"

namespace deberta::server {
namespace {

using Json = json::Value;
using model::DeclaredHead;
using model::SequencePooling;

constexpr size_t kMostParts = 1024;  // layers, outputs, scores
constexpr size_t kMostLabels = 65536;
constexpr int kMostDecimals = 15;

constexpr std::pair<const char*, SequencePooling> kPoolings[] = {
    {"first", SequencePooling::kFirst},
    {"last", SequencePooling::kLast},
    {"mean", SequencePooling::kMean},
    {"max", SequencePooling::kMax},
};

constexpr std::pair<const char*, ScoreFunction> kFunctions[] = {
    {"softmax", ScoreFunction::kSoftmax},
    {"sigmoid", ScoreFunction::kSigmoid},
    {"none", ScoreFunction::kNone},
};

absl::Status Wrong(const std::string& where, absl::string_view expected,
                   const Json& got) {
  return absl::InvalidArgumentError(
      absl::StrCat(where, ": expected ", expected, ", got ", json::Shown(got)));
}

// The keys of an object, of those that it may have.
absl::Status CheckKeys(const std::string& where, const Json& value,
                       std::initializer_list<std::string_view> known) {
  if (!value.is_object()) return Wrong(where, "an object", value);
  for (auto it = value.begin(); it != value.end(); ++it) {
    if (std::ranges::find(known, it.key()) != known.end()) continue;
    std::string expected = "only the keys ";
    for (const std::string_view key : known) {
      absl::StrAppend(&expected, key == *known.begin() ? "" : ", ",
                      absl::string_view(key.data(), key.size()));
    }
    return Wrong(where, expected, Json(it.key()));
  }
  return absl::OkStatus();
}

const Json* Find(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

absl::Status ReadText(const std::string& where, const Json* value,
                      std::string* out) {
  const Json none;
  if (value == nullptr || !value->is_string() || value->empty() ||
      value->get_ref<const std::string&>().empty()) {
    return Wrong(where, "a string that is not empty",
                 value == nullptr ? none : *value);
  }
  *out = value->get<std::string>();
  return absl::OkStatus();
}

absl::Status ReadNumber(const std::string& where, const Json& value,
                        double* out) {
  if (!value.is_number() || !std::isfinite(value.get<double>()))
    return Wrong(where, "a number", value);
  *out = value.get<double>();
  return absl::OkStatus();
}

absl::Status CheckList(const std::string& where, const Json& value,
                       size_t least, size_t most) {
  if (value.is_array() && value.size() >= least && value.size() <= most)
    return absl::OkStatus();
  return Wrong(where, absl::StrCat("an array of ", least, " to ", most), value);
}

absl::Status ReadPooling(const std::string& where, const Json& value,
                         DeclaredHead* head) {
  for (const auto& [name, pooling] : kPoolings) {
    if (value != name) continue;
    head->pooling = pooling;
    return absl::OkStatus();
  }
  const Json* id = value.is_object() ? Find(value, "token_id") : nullptr;
  if (id == nullptr || value.size() != 1 || !id->is_number_unsigned() ||
      id->get<uint64_t>() > INT32_MAX) {
    return Wrong(where, "first, last, mean, max or {\"token_id\": ID}", value);
  }
  head->pooling = SequencePooling::kMarker;
  head->marker = id->get<int32_t>();
  return absl::OkStatus();
}

absl::Status ReadLayer(const std::string& where, const Json& value,
                       DeclaredHead* head) {
  using Kind = DeclaredHead::Layer::Kind;
  if (absl::Status s =
          CheckKeys(where, value, {"linear", "activation", "layer_norm"});
      !s.ok()) {
    return s;
  }
  if (value.size() != 1)
    return Wrong(where, "one of linear, activation and layer_norm", value);
  const std::string& kind = value.begin().key();
  DeclaredHead::Layer& layer = head->layers.emplace_back();
  std::string name;
  if (absl::Status s =
          ReadText(absl::StrCat(where, ".", kind), &*value.begin(), &name);
      !s.ok()) {
    return s;
  }
  layer.kind = kind == "linear"       ? Kind::kLinear
               : kind == "layer_norm" ? Kind::kLayerNorm
                                      : Kind::kActivation;
  if (layer.kind != Kind::kActivation) {
    layer.tensors = std::move(name);
    return absl::OkStatus();
  }
  const auto activation = model::FindActivation(name);
  if (!activation.has_value()) {
    return Wrong(absl::StrCat(where, ".activation"),
                 absl::StrCat("one of ", model::ActivationNames()),
                 *value.begin());
  }
  layer.activation = *activation;
  return absl::OkStatus();
}

absl::Status ReadRounding(const std::string& where, const Json& value,
                          Rounding* rounding) {
  if (const Json* decimals = Find(value, "decimals")) {
    if (!decimals->is_number_unsigned() ||
        decimals->get<uint64_t>() > kMostDecimals) {
      return Wrong(absl::StrCat(where, ".decimals"),
                   absl::StrCat("a whole number up to ", kMostDecimals),
                   *decimals);
    }
    rounding->decimals = decimals->get<int>();
  }
  const Json* zero = Find(value, "zero_below");
  if (zero == nullptr) return absl::OkStatus();
  return ReadNumber(absl::StrCat(where, ".zero_below"), *zero,
                    &rounding->zero_below);
}

absl::Status ReadWeightedScore(const std::string& where, const Json& value,
                               WeightedScore* score) {
  absl::Status status =
      CheckKeys(where, value, {"weights", "divisor", "decimals", "zero_below"});
  const Json none;
  const Json* weights = status.ok() ? Find(value, "weights") : nullptr;
  if (status.ok()) {
    status = CheckList(absl::StrCat(where, ".weights"),
                       weights == nullptr ? none : *weights, 1, kMostLabels);
  }
  for (size_t i = 0; status.ok() && i < weights->size(); ++i) {
    status = ReadNumber(absl::StrCat(where, ".weights[", i, "]"), (*weights)[i],
                        &score->weights.emplace_back());
  }
  if (!status.ok()) return status;
  if (const Json* divisor = Find(value, "divisor")) {
    status =
        ReadNumber(absl::StrCat(where, ".divisor"), *divisor, &score->divisor);
    if (status.ok() && score->divisor == 0)
      status = Wrong(absl::StrCat(where, ".divisor"), "no 0", *divisor);
    if (!status.ok()) return status;
  }
  return ReadRounding(where, value, &score->rounding);
}

absl::Status ReadLabels(const std::string& where, const Json& value,
                        std::vector<std::string>* labels) {
  absl::Status status = CheckList(where, value, 1, kMostLabels);
  for (size_t i = 0; status.ok() && i < value.size(); ++i) {
    status = ReadText(absl::StrCat(where, "[", i, "]"), &value[i],
                      &labels->emplace_back());
  }
  return status;
}

absl::Status ReadOutput(const std::string& where, const Json& value, bool named,
                        HeadDeclaration* declaration) {
  absl::Status status = CheckKeys(
      where, value, {"name", "linear", "labels", "function", "score"});
  if (!status.ok()) return status;
  DeclaredHead::Output& output = declaration->head.outputs.emplace_back();
  HeadOutput& meaning = declaration->outputs.outputs.emplace_back();
  const Json* name = Find(value, "name");
  if (named || name != nullptr)
    status = ReadText(absl::StrCat(where, ".name"), name, &meaning.name);
  if (!status.ok()) return status;
  status = ReadText(absl::StrCat(where, ".linear"), Find(value, "linear"),
                    &output.tensors);
  if (!status.ok()) return status;
  if (const Json* labels = Find(value, "labels")) {
    status =
        ReadLabels(absl::StrCat(where, ".labels"), *labels, &output.labels);
    if (!status.ok()) return status;
  }
  if (const Json* function = Find(value, "function")) {
    const absl::StatusOr<ScoreFunction> read =
        ReadScoreFunction(absl::StrCat(where, ".function"), *function);
    if (!read.ok()) return read.status();
    meaning.function = *read;
    declaration->function = *read;
  }
  const Json* score = Find(value, "score");
  if (score == nullptr) return absl::OkStatus();
  if (meaning.name.empty())
    return Wrong(absl::StrCat(where, ".name"), "a name beside a score", Json());
  return ReadWeightedScore(absl::StrCat(where, ".score"), *score,
                           &meaning.score.emplace());
}

absl::Status ReadCombined(const std::string& where, const Json& value,
                          HeadOutputs* outputs) {
  absl::Status status =
      CheckKeys(where, value, {"name", "of", "decimals", "zero_below"});
  if (!status.ok()) return status;
  CombinedScore& score = outputs->scores.emplace_back();
  status =
      ReadText(absl::StrCat(where, ".name"), Find(value, "name"), &score.name);
  if (!status.ok()) return status;
  const Json none;
  const Json* of = Find(value, "of");
  if (of == nullptr || !of->is_object() || of->empty()) {
    return Wrong(absl::StrCat(where, ".of"), "outputs and their weights",
                 of == nullptr ? none : *of);
  }
  for (auto it = of->begin(); it != of->end(); ++it) {
    const auto output =
        std::ranges::find(outputs->outputs, it.key(), &HeadOutput::name);
    if (output == outputs->outputs.end() || !output->score.has_value()) {
      return Wrong(absl::StrCat(where, ".of"),
                   "names of outputs that have a score", Json(it.key()));
    }
    double weight = 0;
    status = ReadNumber(absl::StrCat(where, ".of.", it.key()), *it, &weight);
    if (!status.ok()) return status;
    score.of.emplace_back(output - outputs->outputs.begin(), weight);
  }
  return ReadRounding(where, value, &score.rounding);
}

absl::Status CheckNames(const std::string& where, const HeadOutputs& outputs) {
  std::set<std::string> names;
  for (const HeadOutput& output : outputs.outputs) {
    if (!names.insert(output.name).second)
      return Wrong(where, "one output of a name", Json(output.name));
  }
  for (const CombinedScore& score : outputs.scores) {
    if (!names.insert(score.name).second)
      return Wrong(where, "one output of a name", Json(score.name));
  }
  return absl::OkStatus();
}

// Reads each element of a list that may be absent.
template <typename Read>
absl::Status ReadEach(const std::string& where, const Json* list, size_t least,
                      Read read) {
  const Json none;
  if (list == nullptr && least == 0) return absl::OkStatus();
  absl::Status status =
      CheckList(where, list == nullptr ? none : *list, least, kMostParts);
  for (size_t i = 0; status.ok() && i < list->size(); ++i)
    status = read(absl::StrCat(where, "[", i, "]"), (*list)[i]);
  return status;
}

}  // namespace

absl::StatusOr<ScoreFunction> ReadScoreFunction(const std::string& where,
                                                const Json& value) {
  for (const auto& [name, function] : kFunctions) {
    if (value == name) return function;
  }
  return Wrong(where, "softmax, sigmoid or none", value);
}

absl::StatusOr<HeadDeclaration> ReadHeadDeclaration(const std::string& where,
                                                    const Json& value) {
  HeadDeclaration declaration;
  absl::Status status = CheckKeys(
      where, value, {"backbone", "pooling", "layers", "outputs", "scores"});
  if (!status.ok()) return status;
  if (const Json* backbone = Find(value, "backbone")) {
    status = ReadText(absl::StrCat(where, ".backbone"), backbone,
                      &declaration.backbone);
  }
  const Json* pooling = Find(value, "pooling");
  if (status.ok() && pooling != nullptr) {
    status = ReadPooling(absl::StrCat(where, ".pooling"), *pooling,
                         &declaration.head);
  }
  if (status.ok()) {
    status = ReadEach(absl::StrCat(where, ".layers"), Find(value, "layers"), 0,
                      [&](const std::string& at, const Json& layer) {
                        return ReadLayer(at, layer, &declaration.head);
                      });
  }
  const Json* outputs = Find(value, "outputs");
  const bool several = (outputs != nullptr && outputs->size() > 1) ||
                       Find(value, "scores") != nullptr;
  if (status.ok()) {
    status = ReadEach(absl::StrCat(where, ".outputs"), outputs, 1,
                      [&](const std::string& at, const Json& output) {
                        return ReadOutput(at, output, several, &declaration);
                      });
  }
  if (status.ok()) {
    status = ReadEach(absl::StrCat(where, ".scores"), Find(value, "scores"), 0,
                      [&](const std::string& at, const Json& score) {
                        return ReadCombined(at, score, &declaration.outputs);
                      });
  }
  if (status.ok())
    status = CheckNames(absl::StrCat(where, ".outputs"), declaration.outputs);
  if (!status.ok()) return status;
  return declaration;
}

absl::Status PlaceOutputs(const std::vector<size_t>& columns,
                          HeadOutputs* outputs) {
  size_t first = 0;
  for (size_t i = 0; i < outputs->outputs.size(); ++i) {
    HeadOutput& output = outputs->outputs[i];
    output.first = first;
    output.columns = columns[i];
    first += columns[i];
    if (!output.score.has_value() ||
        output.score->weights.size() == output.columns) {
      continue;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "head.outputs[", i, "].score.weights: expected ", output.columns,
        ", one for each column of the output, got ",
        output.score->weights.size()));
  }
  return absl::OkStatus();
}

}  // namespace deberta::server
