#include "model/instance_queries.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace deberta::model {
namespace {

float Sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

// One matrix of several [experts, in, out], the other way round.
Linear::Source ExpertSource(const std::vector<float>& weights,
                            const std::vector<float>& biases, size_t expert,
                            size_t in, size_t out, Activation activation) {
  return {.out = out,
          .in = in,
          .read_row =
              [&weights, expert, in, out](size_t row, std::span<float> values) {
                for (size_t i = 0; i < in; ++i)
                  values[i] = weights[(expert * in + i) * out + row];
              },
          .bias = {biases.begin() + static_cast<std::ptrdiff_t>(expert * out),
                   biases.begin() +
                       static_cast<std::ptrdiff_t>((expert + 1) * out)},
          .activation = activation};
}

}  // namespace

absl::Status InstanceQueries::LoadExperts(const ExpertsWeights& weights,
                                          WeightReader& reader) {
  const std::vector<float> inner = reader.Read(weights.inner);
  const std::vector<float> inner_bias = reader.Read(weights.inner_bias);
  const std::vector<float> outer = reader.Read(weights.outer);
  const std::vector<float> outer_bias = reader.Read(weights.outer_bias);
  const auto experts = static_cast<size_t>(weights.inner->shape[0]);
  const auto width = static_cast<size_t>(weights.inner->shape[2]);
  for (size_t e = 0; e < experts; ++e) {
    absl::StatusOr<Linear> first = reader.Pack(
        ExpertSource(inner, inner_bias, e, width_, width, Activation::kGelu));
    if (!first.ok()) return first.status();
    absl::StatusOr<Linear> second = reader.Pack(
        ExpertSource(outer, outer_bias, e, width, width_, Activation::kLinear));
    if (!second.ok()) return second.status();
    experts_.push_back({*std::move(first), *std::move(second)});
  }
  return Keep(Mlp::Load(weights.router, Activation::kGelu, reader), router_);
}

absl::StatusOr<InstanceQueries> InstanceQueries::Load(
    const Gliner2Weights& weights, WeightReader& reader) {
  InstanceQueries queries;
  const auto positions = static_cast<size_t>(weights.instances->shape[0]);
  const auto width = static_cast<size_t>(weights.instances->shape[1]);
  queries.width_ = width;
  absl::StatusOr<Linear> input =
      reader.Pack({weights.gru.input, weights.gru.input_bias});
  if (!input.ok()) return input.status();
  // Padded: Forward() reads further rows.
  std::vector<float> x = reader.Read(weights.instances);
  x.resize(Linear::PaddedRows(positions) * width);
  queries.inputs_.resize(positions * 3 * width);
  input->Forward(x.data(), positions, queries.inputs_.data(),
                 reader.workspace());
  absl::Status status = Keep(
      reader.Pack({weights.gru.state, weights.gru.state_bias}), queries.state_);
  if (weights.projector.has_value()) {
    status.Update(Keep(Mlp::Load(*weights.projector, Activation::kRelu, reader),
                       queries.projector_));
  }
  if (weights.transformer.has_value()) {
    status.Update(Keep(FieldTransformer::Load(*weights.transformer, reader),
                       queries.transformer_));
  }
  if (weights.experts.has_value())
    status.Update(queries.LoadExperts(*weights.experts, reader));
  if (!status.ok()) return status;
  return queries;
}

void InstanceQueries::RunGru(const float* g, const Rows& rows, float* u,
                             Workspace& workspace) const {
  FloatBuffer buffers[2];
  const size_t most = rows.steps.front();
  float* states = buffers[0].Reserve(Linear::PaddedRows(most) * width_);
  float* z = buffers[1].Reserve(Linear::PaddedRows(most) * 3 * width_);
  for (size_t row = 0; row < most; ++row)
    std::copy_n(g + rows.labels[row] * width_, width_, states + row * width_);
  // Fewer rows with every step, of which the first go on.
  for (size_t t = 0; t < rows.steps.size(); ++t) {
    state_->Forward(states, rows.steps[t], z, workspace);
    const float* x = &inputs_[t * 3 * width_];
    for (size_t row = 0; row < rows.steps[t]; ++row) {
      float* h = states + row * width_;
      const float* of_state = z + row * 3 * width_;
      for (size_t i = 0; i < width_; ++i) {
        const float reset = Sigmoid(x[i] + of_state[i]);
        const float update = Sigmoid(x[width_ + i] + of_state[width_ + i]);
        const float candidate =
            std::tanh(x[2 * width_ + i] + reset * of_state[2 * width_ + i]);
        h[i] = (1 - update) * candidate + update * h[i];
      }
    }
    u = std::copy_n(states, rows.steps[t] * width_, u);
  }
}

void InstanceQueries::MixExperts(const float* u, size_t rows, float* q,
                                 Workspace& workspace) const {
  const size_t padded = Linear::PaddedRows(rows);
  FloatBuffer buffers[3];
  float* gates = buffers[0].Reserve(padded * experts_.size());
  router_->Forward(u, rows, gates, workspace);
  for (size_t row = 0; row < rows; ++row) {
    const std::span<float> gate(gates + row * experts_.size(), experts_.size());
    const float largest = *std::ranges::max_element(gate);
    float sum = 0;
    for (float& value : gate) sum += value = std::exp(value - largest);
    for (float& value : gate) value /= sum;
  }
  std::fill_n(q, rows * width_, 0.0f);
  for (size_t e = 0; e < experts_.size(); ++e) {
    float* inner = buffers[1].Reserve(padded * experts_[e].inner.out());
    float* outer = buffers[2].Reserve(padded * width_);
    experts_[e].inner.Forward(u, rows, inner, workspace);
    experts_[e].outer.Forward(inner, rows, outer, workspace);
    for (size_t row = 0; row < rows; ++row) {
      const float gate = gates[row * experts_.size() + e];
      for (size_t i = 0; i < width_; ++i)
        q[row * width_ + i] += gate * outer[row * width_ + i];
    }
  }
}

InstanceQueries::Queries InstanceQueries::Compute(const float* g,
                                                  std::span<const Group> groups,
                                                  Workspace& workspace) const {
  Queries queries;
  queries.firsts.resize(groups.size());
  std::vector<size_t> order(groups.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](size_t i) { return groups[i].instances; });
  Rows rows;
  for (size_t t = 0;; ++t) {
    const size_t before = rows.labels.size();
    for (const size_t i : order) {
      if (groups[i].instances <= t) break;
      queries.firsts[i].push_back(rows.labels.size());
      for (size_t l = 0; l < groups[i].labels; ++l)
        rows.labels.push_back(groups[i].first + l);
      rows.starts.push_back(static_cast<uint32_t>(rows.labels.size()));
    }
    if (rows.labels.size() == before) break;
    rows.steps.push_back(rows.labels.size() - before);
  }
  queries.rows = rows.labels.size();
  if (queries.rows == 0) return queries;
  const size_t padded = Linear::PaddedRows(queries.rows);
  FloatBuffer buffers[2];
  float* u = buffers[0].Reserve(padded * width_);
  RunGru(g, rows, u, workspace);
  float* q = queries.buffer.Reserve(padded * width_);
  queries.values = q;
  if (router_.has_value()) {
    MixExperts(u, queries.rows, q, workspace);
  } else if (transformer_.has_value()) {
    for (size_t row = 0; row < queries.rows; ++row) {
      const float* label = g + rows.labels[row] * width_;
      for (size_t i = 0; i < width_; ++i) u[row * width_ + i] += label[i];
    }
    transformer_->Forward(u, rows.starts, q, workspace);
  } else {
    float* both = buffers[1].Reserve(padded * 2 * width_);
    for (size_t row = 0; row < queries.rows; ++row) {
      std::copy_n(
          g + rows.labels[row] * width_, width_,
          std::copy_n(u + row * width_, width_, both + row * 2 * width_));
    }
    projector_->Forward(both, queries.rows, q, workspace);
  }
  return queries;
}

size_t InstanceQueries::bytes() const {
  size_t bytes = inputs_.size() * sizeof(float) + state_->bytes();
  if (projector_.has_value()) bytes += projector_->bytes();
  if (transformer_.has_value()) bytes += transformer_->bytes();
  if (router_.has_value()) bytes += router_->bytes();
  for (const Expert& expert : experts_)
    bytes += expert.inner.bytes() + expert.outer.bytes();
  return bytes;
}

}  // namespace deberta::model
