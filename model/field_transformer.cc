#include "model/field_transformer.h"

#include <algorithm>
#include <cmath>

namespace deberta::model {
namespace {

constexpr size_t kHeads = 4;
constexpr float kEpsilon = 1e-5f;

// One row's attention to rows [begin, end) of `qkv` [rows, 3 width], of one
// head -> to [width / kHeads].
void Attend(const float* qkv, size_t row, size_t begin, size_t end, size_t head,
            size_t width, float* to) {
  const size_t size = width / kHeads;
  const float* query = qkv + row * 3 * width + head * size;
  const double scale = 1 / std::sqrt(static_cast<double>(size));
  std::vector<double> weights;
  for (size_t r = begin; r < end; ++r) {
    const float* key = qkv + (r * 3 + 1) * width + head * size;
    double dot = 0;
    for (size_t i = 0; i < size; ++i) dot += double{query[i]} * double{key[i]};
    weights.push_back(dot * scale);
  }
  const double largest = *std::ranges::max_element(weights);
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp(weight - largest);
  std::vector<double> context(size);
  for (size_t r = begin; r < end; ++r) {
    const float* value = qkv + (r * 3 + 2) * width + head * size;
    const double weight = weights[r - begin] / sum;
    for (size_t i = 0; i < size; ++i) context[i] += weight * double{value[i]};
  }
  std::ranges::transform(context, to,
                         [](double x) { return static_cast<float>(x); });
}

}  // namespace

absl::StatusOr<FieldTransformer> FieldTransformer::Load(
    const FieldTransformerWeights& weights, WeightReader& reader) {
  FieldTransformer transformer;
  absl::Status status = Keep(reader.Pack(weights.in), transformer.in_);
  const auto norm = [&reader](const LayerNormWeights& of) {
    return LayerNorm(reader.Read(of.weight), reader.Read(of.bias), kEpsilon);
  };
  for (const FieldLayerWeights& of : weights.layers) {
    Layer& layer = transformer.layers_.emplace_back();
    status.Update(Keep(reader.Pack(of.in_proj), layer.in_proj));
    status.Update(Keep(reader.Pack(of.out_proj), layer.out_proj));
    status.Update(
        Keep(Mlp::Load(of.inner, Activation::kRelu, reader), layer.inner));
    layer.attention_norm = norm(of.attention_norm);
    layer.output_norm = norm(of.output_norm);
  }
  for (size_t i = 0; i < weights.out.size(); ++i) {
    const bool last = i + 1 == weights.out.size();
    status.Update(Keep(reader.Pack(weights.out[i], last ? Activation::kLinear
                                                        : Activation::kRelu),
                       transformer.out_[i]));
  }
  if (!status.ok()) return status;
  transformer.width_ = transformer.in_->out();
  return transformer;
}

void FieldTransformer::RunLayer(const Layer& layer,
                                std::span<const uint32_t> starts, float* a,
                                Workspace& workspace) const {
  const size_t rows = starts.back();
  const size_t padded = Linear::PaddedRows(rows);
  FloatBuffer buffers[3];
  float* qkv = buffers[0].Reserve(padded * 3 * width_);
  float* context = buffers[1].Reserve(padded * width_);
  float* y = buffers[2].Reserve(padded * width_);
  layer.in_proj->Forward(a, rows, qkv, workspace);
  workspace.pool().ParallelFor(starts.size() - 1, [&](size_t block, int) {
    for (size_t row = starts[block]; row < starts[block + 1]; ++row) {
      for (size_t head = 0; head < kHeads; ++head) {
        Attend(qkv, row, starts[block], starts[block + 1], head, width_,
               context + row * width_ + head * width_ / kHeads);
      }
    }
  });
  layer.out_proj->Forward(context, rows, y, workspace);
  layer.attention_norm.Forward(y, a, rows, a, workspace.pool());
  layer.inner->Forward(a, rows, y, workspace);
  layer.output_norm.Forward(y, a, rows, a, workspace.pool());
}

void FieldTransformer::Forward(const float* y, std::span<const uint32_t> starts,
                               float* q, Workspace& workspace) const {
  const size_t rows = starts.back();
  const size_t hidden = in_->in();
  const size_t padded = Linear::PaddedRows(rows);
  FloatBuffer buffers[3];
  float* a = buffers[0].Reserve(padded * width_);
  in_->Forward(y, rows, a, workspace);
  for (const Layer& layer : layers_) RunLayer(layer, starts, a, workspace);
  float* both = buffers[1].Reserve(padded * (width_ + hidden));
  for (size_t row = 0; row < rows; ++row) {
    float* to = both + row * (width_ + hidden);
    std::copy_n(y + row * hidden, hidden,
                std::copy_n(a + row * width_, width_, to));
  }
  float* inner = buffers[2].Reserve(padded * hidden);
  out_[0]->Forward(both, rows, q, workspace);
  out_[1]->Forward(q, rows, inner, workspace);
  out_[2]->Forward(inner, rows, q, workspace);
}

size_t FieldTransformer::bytes() const {
  size_t bytes = in_->bytes();
  for (const Layer& layer : layers_) {
    bytes += layer.in_proj->bytes() + layer.out_proj->bytes() +
             layer.attention_norm.bytes() + layer.inner->bytes() +
             layer.output_norm.bytes();
  }
  for (const auto& linear : out_) bytes += linear->bytes();
  return bytes;
}

}  // namespace deberta::model
