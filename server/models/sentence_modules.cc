#include "server/models/sentence_modules.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "files/regular_file.h"
#include "json/json.h"
#include "model/checkpoint/loaded_file.h"
#include "model/checkpoint/tensor.h"
#include "model/checkpoint/weight_contents.h"

namespace deberta::server {
namespace {

using Json = json::Value;

constexpr size_t kMaxBytes = size_t{1} << 20;
constexpr size_t kMostModules = 64;
constexpr int64_t kMaxWidth = int64_t{1} << 16;
constexpr char kToDo[] =
    "; without modules.json the directory is served, and Encode has the "
    "encoder's own vectors";

// In the order in which their vectors stand side by side.
constexpr std::pair<const char*, TextPooling> kModes[] = {
    {"pooling_mode_cls_token", TextPooling::kCls},
    {"pooling_mode_max_tokens", TextPooling::kMax},
    {"pooling_mode_mean_tokens", TextPooling::kMean},
    {"pooling_mode_mean_sqrt_len_tokens", TextPooling::kMeanSqrtLength},
    {"pooling_mode_weightedmean_tokens", TextPooling::kWeightedMean},
    {"pooling_mode_lasttoken", TextPooling::kLast},
};

constexpr std::pair<const char*, model::Activation> kActivations[] = {
    {"Identity", model::Activation::kLinear},
    {"Tanh", model::Activation::kTanh},
    {"ReLU", model::Activation::kRelu},
    {"GELU", model::Activation::kGelu},
    {"Sigmoid", model::Activation::kSigmoid},
    {"SiLU", model::Activation::kSilu},
};

absl::Status Wrong(absl::string_view where, absl::string_view expected,
                   const Json& got, absl::string_view advice = kToDo) {
  return absl::InvalidArgumentError(absl::StrCat(
      where, ": expected ", expected, ", got ", json::Shown(got), advice));
}

// Null where absent or null.
const Json* Find(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

bool IsTrue(const Json& object, const char* key, bool fallback) {
  const Json* value = Find(object, key);
  return value == nullptr ? fallback : *value == true;
}

// The object in `directory`/`name`; NotFound if there is none.
absl::StatusOr<Json> ReadObject(const std::string& directory,
                                const std::string& name) {
  const absl::StatusOr<std::string> text =
      ReadSmallFile(absl::StrCat(directory, "/", name), kMaxBytes);
  if (!text.ok()) return text.status();
  absl::StatusOr<Json> object = json::Parse(*text);
  if (!object.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": not valid JSON: ", object.status().message()));
  }
  if (!object->is_object()) return Wrong(name, "an object", *object);
  return object;
}

struct Module {
  std::string type;  // its class: "Pooling"
  std::string path;  // below the directory; "" for the directory itself
};

absl::StatusOr<Module> ReadModule(const std::string& where, const Json& value) {
  const Json* type = value.is_object() ? Find(value, "type") : nullptr;
  const Json* path = value.is_object() ? Find(value, "path") : nullptr;
  if (type == nullptr || !type->is_string() || path == nullptr ||
      !path->is_string()) {
    return Wrong(where, "an object with type and path", value);
  }
  Module module = {.type = type->get<std::string>(),
                   .path = path->get<std::string>()};
  if (!module.type.starts_with("sentence_transformers.")) {
    return Wrong(absl::StrCat(where, ".type"),
                 "a class of sentence_transformers, since no other code is run",
                 *type);
  }
  module.type = module.type.substr(module.type.rfind('.') + 1);
  if (module.path.starts_with('/') || absl::StrContains(module.path, "..")) {
    return Wrong(absl::StrCat(where, ".path"),
                 "a directory below that of modules.json", *path);
  }
  return module;
}

absl::StatusOr<std::vector<Module>> ReadModules(const std::string& text) {
  const absl::StatusOr<Json> list = json::Parse(text);
  if (!list.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "modules.json: not valid JSON: ", list.status().message()));
  }
  if (!list->is_array() || list->empty() || list->size() > kMostModules) {
    return Wrong("modules.json",
                 absl::StrCat("an array of 1 to ", kMostModules, " modules"),
                 *list);
  }
  std::vector<Module> modules;
  for (size_t i = 0; i < list->size(); ++i) {
    absl::StatusOr<Module> module =
        ReadModule(absl::StrCat("modules.json[", i, "]"), (*list)[i]);
    if (!module.ok()) return module.status();
    modules.push_back(*std::move(module));
  }
  return modules;
}

absl::Status ReadTransformer(SentenceModules* modules) {
  constexpr char kName[] = "sentence_bert_config.json";
  const absl::StatusOr<Json> config =
      ReadObject(modules->network_directory, kName);
  if (absl::IsNotFound(config.status())) return absl::OkStatus();
  if (!config.ok()) return config.status();
  if (IsTrue(*config, "do_lower_case", false)) {
    return Wrong(absl::StrCat(kName, ": do_lower_case"), "false", Json(true),
                 ": texts are tokenized as they are sent; send them in lower "
                 "case, and set it to false");
  }
  const Json* most = Find(*config, "max_seq_length");
  if (most == nullptr) return absl::OkStatus();
  if (!most->is_number_unsigned() || most->get<uint64_t>() == 0)
    return Wrong(absl::StrCat(kName, ": max_seq_length"), "a number from 1",
                 *most, "");
  modules->max_tokens = most->get<size_t>();
  return absl::OkStatus();
}

absl::Status ReadPooling(const std::string& path, const std::string& directory,
                         TextVectors* vectors) {
  const absl::StatusOr<Json> config = ReadObject(directory, "config.json");
  if (!config.ok()) return config.status();
  if (const Json* mode = Find(*config, "pooling_mode")) {
    constexpr std::pair<const char*, TextPooling> kNames[] = {
        {"cls", TextPooling::kCls},
        {"max", TextPooling::kMax},
        {"mean", TextPooling::kMean},
        {"mean_sqrt_len_tokens", TextPooling::kMeanSqrtLength},
        {"weightedmean", TextPooling::kWeightedMean},
        {"lasttoken", TextPooling::kLast}};
    for (const auto& [name, pooling] : kNames) {
      if (*mode == name) vectors->poolings = {pooling};
    }
    if (vectors->poolings.empty()) {
      return Wrong(absl::StrCat(path, "/config.json: pooling_mode"),
                   "cls, max, mean, mean_sqrt_len_tokens, weightedmean or "
                   "lasttoken",
                   *mode);
    }
    return absl::OkStatus();
  }
  for (const auto& [key, pooling] : kModes) {
    if (IsTrue(*config, key, pooling == TextPooling::kMean))
      vectors->poolings.push_back(pooling);
  }
  if (!vectors->poolings.empty()) return absl::OkStatus();
  return Wrong(absl::StrCat(path, "/config.json"),
               "a pooling_mode_* that is set", *config);
}

absl::StatusOr<std::vector<float>> ReadTensor(
    const model::WeightContents& contents, const std::string& name,
    const std::vector<int64_t>& shape) {
  const auto found = contents.tensors.find(name);
  if (found == contents.tensors.end())
    return absl::InvalidArgumentError(absl::StrCat("missing: ", name));
  if (found->second.shape != shape) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is ", model::ShapeText(found->second.shape),
                     ", expected ", model::ShapeText(shape)));
  }
  return model::ReadFloats(found->second);
}

absl::Status ReadDenseWeights(const std::string& directory,
                              const std::vector<model::WeightsFormat>& allowed,
                              bool has_bias, VectorLayer* layer) {
  const absl::StatusOr<model::WeightFiles> files =
      model::FindWeightFiles(directory, model::WeightsVariant::kMain, allowed);
  if (!files.ok()) return files.status();
  const absl::StatusOr<model::LoadedFile> file =
      model::LoadedFile::Read(files->path);
  if (!file.ok()) return file.status();
  const absl::StatusOr<model::WeightContents> contents =
      model::ReadWeights(*file, {.format = files->format, .hdf5_reader = {}});
  if (!contents.ok()) return contents.status();
  const auto in = static_cast<int64_t>(layer->in);
  const auto out = static_cast<int64_t>(layer->out);
  absl::StatusOr<std::vector<float>> weight =
      ReadTensor(*contents, "linear.weight", {out, in});
  if (!weight.ok()) return weight.status();
  layer->weight = *std::move(weight);
  if (!has_bias) return absl::OkStatus();
  absl::StatusOr<std::vector<float>> bias =
      ReadTensor(*contents, "linear.bias", {out});
  if (!bias.ok()) return bias.status();
  layer->bias = *std::move(bias);
  return absl::OkStatus();
}

absl::Status ReadDense(const std::string& path, const std::string& directory,
                       const std::vector<model::WeightsFormat>& allowed,
                       TextVectors* vectors) {
  const absl::StatusOr<Json> config = ReadObject(directory, "config.json");
  if (!config.ok()) return config.status();
  VectorLayer layer = {.kind = VectorLayer::Kind::kDense};
  for (const auto& [key, size] : {std::pair("in_features", &layer.in),
                                  std::pair("out_features", &layer.out)}) {
    const Json* value = Find(*config, key);
    if (value == nullptr || !value->is_number_unsigned() ||
        value->get<uint64_t>() == 0 ||
        value->get<uint64_t>() > static_cast<uint64_t>(kMaxWidth)) {
      return Wrong(absl::StrCat(path, "/config.json: ", key),
                   absl::StrCat("a number from 1 to ", kMaxWidth),
                   value == nullptr ? Json() : *value);
    }
    *size = value->get<size_t>();
  }
  const Json* activation = Find(*config, "activation_function");
  bool known = false;
  for (const auto& [name, of] : kActivations) {
    if (activation == nullptr || !activation->is_string()) break;
    const auto& text = activation->get_ref<const std::string&>();
    if (!text.starts_with("torch.nn.") ||
        std::string_view(text).substr(text.rfind('.') + 1) != name) {
      continue;
    }
    layer.activation = of;
    known = true;
  }
  if (!known) {
    return Wrong(absl::StrCat(path, "/config.json: activation_function"),
                 "Identity, Tanh, ReLU, GELU, Sigmoid or SiLU of torch.nn",
                 activation == nullptr ? Json() : *activation);
  }
  if (absl::Status s = ReadDenseWeights(directory, allowed,
                                        IsTrue(*config, "bias", true), &layer);
      !s.ok()) {
    return absl::Status(s.code(), absl::StrCat(path, ": ", s.message()));
  }
  vectors->layers.push_back(std::move(layer));
  return absl::OkStatus();
}

// A text that would be put before every text.
absl::Status CheckNoPrompt(const std::string& directory) {
  constexpr char kName[] = "config_sentence_transformers.json";
  const absl::StatusOr<Json> config = ReadObject(directory, kName);
  if (absl::IsNotFound(config.status())) return absl::OkStatus();
  if (!config.ok()) return config.status();
  const Json* prompt = Find(*config, "default_prompt_name");
  if (prompt == nullptr) return absl::OkStatus();
  return Wrong(absl::StrCat(kName, ": default_prompt_name"), "null", *prompt,
               ": texts are read as they are sent; put the prompt before "
               "them, and set it to null");
}

absl::Status ReadTextModule(const Module& module, const std::string& directory,
                            const std::vector<model::WeightsFormat>& allowed,
                            TextVectors* vectors) {
  const std::string path = absl::StrCat(directory, "/", module.path);
  const bool pools = module.type == "Pooling";
  if (pools != vectors->poolings.empty()) {
    return Wrong("modules.json", "one Pooling, right after the Transformer",
                 Json(module.type));
  }
  if (pools) return ReadPooling(module.path, path, vectors);
  if (module.type == "Dense")
    return ReadDense(module.path, path, allowed, vectors);
  if (module.type == "Normalize") {
    vectors->layers.push_back({.kind = VectorLayer::Kind::kNormalize});
    return absl::OkStatus();
  }
  if (module.type == "Dropout") return absl::OkStatus();
  return Wrong("modules.json",
               "the modules Transformer, Pooling, Dense, Normalize and Dropout",
               Json(module.type));
}

}  // namespace

absl::StatusOr<SentenceModules> ReadSentenceModules(
    const std::string& directory,
    const std::vector<model::WeightsFormat>& allowed) {
  SentenceModules modules = {.network_directory = directory};
  const absl::StatusOr<std::string> text =
      ReadSmallFile(directory + "/modules.json", kMaxBytes);
  if (absl::IsNotFound(text.status())) return modules;
  if (!text.ok()) return text.status();
  const absl::StatusOr<std::vector<Module>> list = ReadModules(*text);
  if (!list.ok()) return list.status();
  if (list->front().type != "Transformer") {
    return Wrong("modules.json", "a Transformer as the first module",
                 Json(list->front().type));
  }
  if (!list->front().path.empty()) {
    modules.network_directory =
        absl::StrCat(directory, "/", list->front().path);
  }
  absl::Status status = ReadTransformer(&modules);
  if (status.ok()) status = CheckNoPrompt(directory);
  TextVectors& vectors = modules.vectors.emplace();
  for (size_t i = 1; status.ok() && i < list->size(); ++i)
    status = ReadTextModule((*list)[i], directory, allowed, &vectors);
  if (status.ok() && vectors.poolings.empty())
    status = Wrong("modules.json", "a Pooling after the Transformer", Json());
  if (!status.ok()) return status;
  return modules;
}

absl::Status CheckWidths(const TextVectors& vectors, size_t hidden) {
  size_t width = hidden * vectors.poolings.size();
  for (const VectorLayer& layer : vectors.layers) {
    if (layer.kind != VectorLayer::Kind::kDense) continue;
    if (layer.in != width) {
      return absl::InvalidArgumentError(
          absl::StrCat("modules.json: a Dense module reads vectors of ",
                       layer.in, " numbers, but is given ", width));
    }
    width = layer.out;
  }
  return absl::OkStatus();
}

}  // namespace deberta::server
