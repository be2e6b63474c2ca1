#include "model/encoder.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace deberta::model {
namespace {

// rel_embeddings after their norm, [2 S, hidden].
std::vector<float> LoadRelative(const Weights& weights, WeightReader& reader) {
  std::vector<float> relative = reader.Read(weights.rel_embeddings);
  if (!relative.empty() && weights.rel_norm.has_value()) {
    const LayerNorm norm = reader.Norm(*weights.rel_norm);
    norm.Forward(relative.data(), nullptr, relative.size() / norm.width(),
                 relative.data(), reader.pool());
  }
  return relative;
}

absl::StatusOr<Embeddings> LoadEmbeddings(const Weights& weights,
                                          const TensorView* words,
                                          WeightReader& reader) {
  Embeddings embeddings;
  embeddings.words = words;
  reader.Done(weights.word_embeddings);
  embeddings.positions = reader.Read(weights.position_embeddings);
  embeddings.types = reader.Read(weights.token_type_embeddings);
  if (weights.embed_proj != nullptr) {
    auto proj = reader.Pack({.weight = weights.embed_proj}, Activation::kLinear,
                            reader.precision());
    if (!proj.ok()) return proj.status();
    embeddings.proj = *std::move(proj);
  }
  embeddings.norm = reader.Norm(weights.embeddings_norm);
  return embeddings;
}

absl::StatusOr<Convolution> LoadConvolution(const ConvolutionWeights& weights,
                                            WeightReader& reader) {
  const Config& config = reader.config();
  const auto kernel = static_cast<size_t>(config.conv_kernel_size);
  const std::vector<float> weight = reader.Read(weights.weight);
  Linear::Source source = Convolution::Rows(
      weight, reader.Read(weights.bias),
      static_cast<size_t>(config.hidden_size),
      static_cast<size_t>(config.conv_groups), kernel, config.conv_act);
  source.precision = reader.precision();
  auto linear = reader.Pack(source);
  if (!linear.ok()) return linear.status();
  return Convolution{*std::move(linear), reader.Norm(weights.norm), kernel};
}

}  // namespace

absl::StatusOr<Encoder> Encoder::Load(const Weights& weights,
                                      const TensorView* words,
                                      WeightReader& reader) {
  Encoder encoder;
  encoder.width_ = static_cast<size_t>(reader.config().hidden_size);
  auto embeddings = LoadEmbeddings(weights, words, reader);
  if (!embeddings.ok()) return embeddings.status();
  encoder.embeddings_ = *std::move(embeddings);
  if (weights.convolution.has_value()) {
    auto convolution = LoadConvolution(*weights.convolution, reader);
    if (!convolution.ok()) return convolution.status();
    encoder.convolution_ = *std::move(convolution);
  }
  const std::vector<float> relative = LoadRelative(weights, reader);
  for (const LayerWeights& layer_weights : weights.layers) {
    auto layer = EncoderLayer::Load(layer_weights, relative, reader);
    if (!layer.ok()) return layer.status();
    encoder.layers_.push_back(*std::move(layer));
  }
  return encoder;
}

std::vector<size_t> Encoder::ForwardToLast(
    const RaggedBatch& batch, Workspace& workspace,
    const LayerObserver& observer, const StillWanted& still_wanted) const {
  const size_t tokens = batch.tokens();
  const size_t floats = Linear::PaddedRows(tokens) * width_;
  float* hidden = workspace.hidden.Reserve(floats);
  embeddings_.Forward(batch, hidden, workspace);
  if (observer) observer(0, std::span(hidden, tokens * width_));
  if (convolution_.has_value()) {
    convolution_->Forward(hidden, batch.starts,
                          workspace.convolved.Reserve(floats), workspace);
  }
  std::vector<uint32_t> starts = batch.starts;
  std::vector<size_t> left(batch.sequences());
  std::iota(left.begin(), left.end(), size_t{0});
  AttentionPlan all = AttentionPlan::All(starts);
  for (size_t i = 0; i + 1 < layers_.size() && !left.empty(); ++i) {
    RunLayer(i, all, workspace, observer);
    if (!still_wanted) continue;
    const size_t sequences = left.size();
    DropUnwanted(still_wanted, hidden, &starts, &left);
    if (left.size() < sequences) all = AttentionPlan::All(starts);
  }
  return left;
}

void Encoder::DropUnwanted(const StillWanted& still_wanted, float* hidden,
                           std::vector<uint32_t>* starts,
                           std::vector<size_t>* left) const {
  std::vector<uint32_t> kept_starts = {0};
  std::vector<size_t> kept;
  for (size_t i = 0; i < left->size(); ++i) {
    if (!still_wanted((*left)[i])) continue;
    const uint32_t from = (*starts)[i];
    const uint32_t length = (*starts)[i + 1] - from;
    const uint32_t to = kept_starts.back();
    if (to < from) {
      std::copy_n(hidden + from * width_, length * width_,
                  hidden + to * width_);
    }
    kept_starts.push_back(to + length);
    kept.push_back((*left)[i]);
  }
  *starts = std::move(kept_starts);
  *left = std::move(kept);
}

void Encoder::ForwardLast(const RaggedBatch& batch,
                          std::span<const uint32_t> rows, Workspace& workspace,
                          const LayerObserver& observer) const {
  float* hidden = workspace.hidden.get();
  const bool convolved = layers_.size() == 1 && convolution_.has_value();
  // Nothing reads the other rows.
  if (!rows.empty() && !convolved) {
    last_layer().Forward(hidden, batch.tokens(),
                         AttentionPlan::Only(batch.starts, rows), rows,
                         workspace);
    return;
  }
  RunLayer(layers_.size() - 1, AttentionPlan::All(batch.starts), workspace,
           observer);
  // Ascending rows move to the front without overtaking each other.
  for (size_t r = 0; r < rows.size(); ++r) {
    if (rows[r] != r) {
      std::copy_n(hidden + rows[r] * width_, width_, hidden + r * width_);
    }
  }
}

void Encoder::RunLayer(size_t index, const AttentionPlan& all,
                       Workspace& workspace,
                       const LayerObserver& observer) const {
  float* hidden = workspace.hidden.get();
  const size_t tokens = all.rows;
  layers_[index]->Forward(hidden, tokens, all, {}, workspace);
  if (index == 0 && convolution_.has_value()) {
    convolution_->norm.Forward(hidden, workspace.convolved.get(), tokens,
                               hidden, workspace.pool());
  }
  if (observer) {
    observer(static_cast<int64_t>(index) + 1,
             std::span(hidden, tokens * width_));
  }
}

size_t Encoder::bytes() const {
  size_t bytes = embeddings_.bytes();
  if (convolution_.has_value()) {
    bytes += convolution_->linear.bytes() + convolution_->norm.bytes();
  }
  for (const auto& layer : layers_) bytes += layer->bytes();
  return bytes;
}

}  // namespace deberta::model
