#include "model/checkpoint/derived_config.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "json/json.h"

namespace deberta::model {
namespace {

using Json = json::Value;

constexpr int64_t kHeadSize = 64;
constexpr int64_t kPositions = 512;

// Size `axis` of a tensor; 0 if there is none of that name and rank.
int64_t SizeOf(const TensorMap& tensors, std::string_view name, size_t axis,
               size_t rank) {
  const auto found = tensors.find(name);
  return found == tensors.end() || found->second.shape.size() != rank
             ? 0
             : found->second.shape[axis];
}

bool Has(const TensorMap& tensors, std::string_view name) {
  return tensors.find(name) != tensors.end();
}

int64_t Layers(const TensorMap& tensors) {
  int64_t layers = 0;
  while (Has(tensors,
             absl::StrCat("encoder.layer.", layers, ".output.dense.weight"))) {
    ++layers;
  }
  return layers;
}

void AddSizes(const TensorMap& tensors, Json& keys) {
  constexpr char kWords[] = "embeddings.word_embeddings.weight";
  const int64_t hidden = SizeOf(tensors, "embeddings.LayerNorm.weight", 0, 1);
  const int64_t embedding = SizeOf(tensors, kWords, 1, 2);
  keys["vocab_size"] = SizeOf(tensors, kWords, 0, 2);
  keys["hidden_size"] = hidden;
  if (embedding != hidden) keys["embedding_size"] = embedding;
  keys["num_hidden_layers"] = Layers(tensors);
  keys["num_attention_heads"] = hidden / kHeadSize;
  keys["intermediate_size"] =
      SizeOf(tensors, "encoder.layer.0.intermediate.dense.weight", 0, 2);
  keys["max_position_embeddings"] = kPositions;
  keys["type_vocab_size"] =
      SizeOf(tensors, "embeddings.token_type_embeddings.weight", 0, 2);
  keys["position_biased_input"] = false;
}

void AddPositions(const TensorMap& tensors, bool v2, Json& keys) {
  const int64_t rows = SizeOf(tensors, "encoder.rel_embeddings.weight", 0, 2);
  keys["relative_attention"] = rows > 0;
  keys["max_relative_positions"] = -1;
  keys["pos_att_type"] = {"c2p", "p2c"};
  if (!v2) return;
  keys["share_att_key"] =
      !Has(tensors, "encoder.layer.0.attention.self.pos_key_proj.weight");
  if (rows / 2 < kPositions) keys["position_buckets"] = rows / 2;
  if (Has(tensors, "encoder.LayerNorm.weight"))
    keys["norm_rel_ebd"] = "layer_norm";
  const int64_t kernel = SizeOf(tensors, "encoder.conv.conv.weight", 2, 3);
  if (kernel == 0) return;
  keys["conv_kernel_size"] = kernel;
  keys["conv_act"] = "gelu";
}

}  // namespace

bool LacksModelType(std::string_view text) {
  const absl::StatusOr<Json> object = json::Parse(text);
  if (!object.ok() || !object->is_object()) return false;
  const auto type = object->find("model_type");
  return type == object->end() || type->is_null();
}

std::string WithDerivedKeys(std::string_view text, const TensorMap& tensors) {
  const std::string attention = "encoder.layer.0.attention.self.";
  const bool v2 = Has(tensors, attention + "query_proj.weight");
  std::string whole(text);
  if (!v2 && !Has(tensors, attention + "in_proj.weight")) return whole;
  Json own = *json::Parse(text);
  Json keys = {{"model_type", v2 ? "deberta-v2" : "deberta"}};
  if (!own.contains("hidden_size")) {
    AddSizes(tensors, keys);
    AddPositions(tensors, v2, keys);
  }
  // The order of keys counts for labels: the text is kept.
  own.erase("model_type");
  std::string front = keys.dump();
  front.back() = own.empty() ? '}' : ',';
  if (own.empty()) return front;
  const size_t brace = whole.find('{');
  whole.replace(0, brace + 1, front);
  // A null among them would come last.
  const bool null_type = (*json::Parse(text)).contains("model_type");
  if (null_type) {
    whole.insert(whole.rfind('}'),
                 absl::StrCat(",\"model_type\":", keys["model_type"].dump()));
  }
  return whole;
}

}  // namespace deberta::model
