#include "model/weight_reader.h"

#include <utility>

namespace deberta::model {
namespace {

// Every tensor of the model once; word embeddings that are the decoder too
// count once.
std::set<const TensorView*> AllTensors(const Weights& weights) {
  std::set<const TensorView*> all = {
      weights.word_embeddings,       weights.position_embeddings,
      weights.token_type_embeddings, weights.embed_proj,
      weights.rel_embeddings,        weights.head.decoder_weight,
      weights.head.decoder_bias,     weights.head.decoder_positions};
  const auto add = [&all](const auto& pair) {
    all.insert({pair.weight, pair.bias});
  };
  add(weights.embeddings_norm);
  if (weights.rel_norm.has_value()) add(*weights.rel_norm);
  if (weights.convolution.has_value()) {
    add(*weights.convolution);
    add(weights.convolution->norm);
  }
  for (const LayerWeights& layer : weights.layers) {
    all.insert({layer.in_proj, layer.q_bias, layer.v_bias});
    for (const LinearWeights* linear :
         {&layer.query_proj, &layer.key_proj, &layer.value_proj,
          &layer.pos_key_proj, &layer.pos_query_proj, &layer.attention_output,
          &layer.intermediate, &layer.output}) {
      add(*linear);
    }
    add(layer.attention_norm);
    add(layer.output_norm);
  }
  add(weights.head.pooler);
  add(weights.head.classifier);
  add(weights.head.dense);
  add(weights.head.norm);
  all.insert(weights.label_tensors.begin(), weights.label_tensors.end());
  for (const HeadLayerWeights& layer : weights.head.layers) {
    add(layer.linear);
    add(layer.norm);
  }
  for (const LinearWeights& output : weights.head.outputs) add(output);
  all.erase(nullptr);
  return all;
}

}  // namespace

WeightReader::WeightReader(const Checkpoint& checkpoint, const Weights& weights,
                           const PrecisionChoice& precision, Products products,
                           SharedWeights* shared, Workspace& workspace,
                           LoadObserver observer)
    : checkpoint_(checkpoint),
      precision_(precision),
      shared_(shared),
      workspace_(workspace),
      observer_(std::move(observer)),
      gemms_(products) {
  for (const TensorView* tensor : AllTensors(weights)) {
    ++progress_.tensors_total;
    progress_.bytes_total += tensor->bytes.size();
  }
}

std::vector<float> WeightReader::Read(const TensorView* tensor) {
  if (tensor == nullptr) return {};
  std::vector<float> values = ReadFloats(*tensor);
  Done(tensor);
  return values;
}

absl::StatusOr<Linear> WeightReader::Pack(const LinearWeights& weights,
                                          Activation activation,
                                          Precision precision) {
  const TensorView& weight = *weights.weight;
  const auto in = static_cast<size_t>(weight.shape[1]);
  auto linear = Pack({.out = static_cast<size_t>(weight.shape[0]),
                      .in = in,
                      .read_row =
                          [&](size_t row, std::span<float> values) {
                            ReadFloats(weight, row * in, values);
                          },
                      .bias = Read(weights.bias),
                      .activation = activation,
                      .precision = precision});
  Done(weights.weight);
  return linear;
}

absl::StatusOr<Linear> WeightReader::Pack(const Linear::Source& source) {
  auto linear = Linear::Pack(source, gemms_, workspace_);
  if (linear.ok() && shared_ != nullptr) {
    linear->ShareWeight([this](Linear::Weight weight) {
      Linear::Weight shared = shared_->Share(weight);
      if (shared != weight) shared_bytes_ += shared->capacity() * sizeof(float);
      return shared;
    });
  }
  return linear;
}

LayerNorm WeightReader::Norm(const LayerNormWeights& weights) {
  return LayerNorm(Read(weights.weight), Read(weights.bias),
                   config().layer_norm_eps);
}

void WeightReader::Done(const TensorView* tensor) {
  if (tensor == nullptr || !done_.insert(tensor).second) return;
  ++progress_.tensors_done;
  progress_.bytes_done += tensor->bytes.size();
  if (observer_) observer_(progress_);
}

}  // namespace deberta::model
