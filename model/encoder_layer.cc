#include "model/encoder_layer.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "model/layers/relative_position.h"

namespace deberta::model {
namespace {

// Rows of the feed-forward network at a time: bounds its scratch memory.
constexpr size_t kPassRows = 1024;

// v1 keeps queries, keys and values of a head together: rows of in_proj are
// [heads, {q, k, v}, d]. Ours are [{q, k, v}, heads, d].
Linear::Source FromInProj(const LayerWeights& weights, const Config& config,
                          WeightReader& reader) {
  const auto hidden = static_cast<size_t>(config.hidden_size);
  const auto d = static_cast<size_t>(config.head_size);
  std::vector<float> bias(3 * hidden);
  std::ranges::copy(reader.Read(weights.q_bias), bias.begin());
  std::ranges::copy(reader.Read(weights.v_bias),
                    bias.begin() + static_cast<ptrdiff_t>(2 * hidden));
  return {
      .out = 3 * hidden,
      .in = hidden,
      .read_row =
          [=, tensor = weights.in_proj](size_t row, std::span<float> values) {
            const size_t part = row / hidden;
            const size_t head = row % hidden / d;
            const size_t from = (head * 3 + part) * d + row % d;
            ReadFloats(*tensor, from * hidden, values);
          },
      .bias = std::move(bias),
      .precision = reader.precision()};
}

Linear::Source FromThreeProjections(const LayerWeights& weights,
                                    const Config& config,
                                    WeightReader& reader) {
  const auto hidden = static_cast<size_t>(config.hidden_size);
  const LinearWeights* parts[] = {&weights.query_proj, &weights.key_proj,
                                  &weights.value_proj};
  std::vector<float> bias(3 * hidden);
  for (size_t part = 0; part < 3; ++part) {
    std::ranges::copy(reader.Read(parts[part]->bias),
                      bias.begin() + static_cast<ptrdiff_t>(part * hidden));
  }
  return {.out = 3 * hidden,
          .in = hidden,
          .read_row =
              [=, q = parts[0]->weight, k = parts[1]->weight,
               v = parts[2]->weight](size_t row, std::span<float> values) {
                const TensorView* tensor =
                    row < hidden ? q : (row < 2 * hidden ? k : v);
                ReadFloats(*tensor, row % hidden * hidden, values);
              },
          .bias = std::move(bias),
          .precision = reader.precision()};
}

absl::StatusOr<Linear> PackProjections(const LayerWeights& weights,
                                       WeightReader& reader) {
  const bool together = weights.in_proj != nullptr;
  auto linear = reader.Pack(
      together ? FromInProj(weights, reader.config(), reader)
               : FromThreeProjections(weights, reader.config(), reader));
  for (const TensorView* tensor :
       {weights.in_proj, weights.query_proj.weight, weights.key_proj.weight,
        weights.value_proj.weight}) {
    reader.Done(tensor);
  }
  return linear;
}

// The table of one term; empty where pos_att_type leaves it out.
absl::StatusOr<PositionTables> LoadTables(const LinearWeights& weights,
                                          std::span<const float> relative,
                                          bool key_minus_query,
                                          WeightReader& reader) {
  if (weights.weight == nullptr) return PositionTables();
  const Config& config = reader.config();
  const RelativePosition positions(config);
  const auto projection = reader.Pack(weights);
  if (!projection.ok()) return projection.status();
  const auto rows = static_cast<size_t>(2 * positions.span());
  FloatBuffer padded;
  float* in = padded.Reserve(Linear::PaddedRows(rows) * projection->in());
  std::ranges::copy(relative, in);
  std::vector<float> projected(rows * projection->out());
  projection->Forward(in, rows, projected.data(), reader.workspace());
  return PositionTables(
      projected, static_cast<size_t>(config.num_attention_heads),
      static_cast<size_t>(config.head_size), positions,
      static_cast<size_t>(positions.FindReach().offset), key_minus_query,
      reader.attention_precision(), reader.pool());
}

}  // namespace

absl::StatusOr<EncoderLayer> EncoderLayer::Load(const LayerWeights& weights,
                                                std::span<const float> relative,
                                                WeightReader& reader) {
  const Config& config = reader.config();
  Attention attention;
  attention.precision = reader.attention_precision();
  attention.heads = static_cast<size_t>(config.num_attention_heads);
  attention.head_size = static_cast<size_t>(config.head_size);
  attention.scale =
      1 / std::sqrt(static_cast<float>(config.head_size * config.scale_factor));
  auto c2p = LoadTables(weights.pos_key_proj, relative, true, reader);
  if (!c2p.ok()) return c2p.status();
  attention.c2p = *std::move(c2p);
  auto p2c = LoadTables(weights.pos_query_proj, relative, false, reader);
  if (!p2c.ok()) return p2c.status();
  attention.p2c = *std::move(p2c);

  auto projections = PackProjections(weights, reader);
  if (!projections.ok()) return projections.status();
  auto attention_output = reader.Pack(weights.attention_output,
                                      Activation::kLinear, reader.precision());
  if (!attention_output.ok()) return attention_output.status();
  auto intermediate =
      reader.Pack(weights.intermediate, config.hidden_act, reader.precision());
  if (!intermediate.ok()) return intermediate.status();
  auto output =
      reader.Pack(weights.output, Activation::kLinear, reader.precision());
  if (!output.ok()) return output.status();
  return EncoderLayer(std::move(attention), *std::move(projections),
                      *std::move(attention_output),
                      reader.Norm(weights.attention_norm),
                      *std::move(intermediate), *std::move(output),
                      reader.Norm(weights.output_norm));
}

EncoderLayer::EncoderLayer(Attention attention, Linear projections,
                           Linear attention_output, LayerNorm attention_norm,
                           Linear intermediate, Linear output,
                           LayerNorm output_norm)
    : attention_(std::move(attention)),
      projections_(std::move(projections)),
      attention_output_(std::move(attention_output)),
      attention_norm_(std::move(attention_norm)),
      intermediate_(std::move(intermediate)),
      output_(std::move(output)),
      output_norm_(std::move(output_norm)) {}

void EncoderLayer::Forward(float* hidden, size_t tokens,
                           const AttentionPlan& plan,
                           std::span<const uint32_t> rows,
                           Workspace& workspace) const {
  Project(hidden, tokens, workspace);
  // Ascending rows move to the front without overtaking each other.
  for (size_t r = 0; r < rows.size(); ++r) {
    if (rows[r] != r) {
      std::copy_n(hidden + rows[r] * width(), width(), hidden + r * width());
    }
  }
  Attend(hidden, plan, workspace);
}

void EncoderLayer::Project(const float* hidden, size_t tokens,
                           Workspace& workspace) const {
  if (attention_.precision == Precision::kBf16) {
    ProjectAs<Bf16>(hidden, tokens, workspace);
  } else {
    ProjectAs<float>(hidden, tokens, workspace);
  }
}

void EncoderLayer::ReplaceQueries(const float* states,
                                  std::span<const uint32_t> rows,
                                  Workspace& workspace) const {
  if (attention_.precision == Precision::kBf16) {
    ReplaceQueriesAs<Bf16>(states, rows, workspace);
  } else {
    ReplaceQueriesAs<float>(states, rows, workspace);
  }
}

void EncoderLayer::Attend(float* states, const AttentionPlan& plan,
                          Workspace& workspace) const {
  if (attention_.precision == Precision::kBf16) {
    AttendAs<Bf16>(states, plan, workspace);
  } else {
    AttendAs<float>(states, plan, workspace);
  }
}

template <typename T>
void EncoderLayer::ProjectAs(const float* hidden, size_t tokens,
                             Workspace& workspace) const {
  T* projections = workspace.projections.ReserveAs<T>(
      Linear::PaddedRows(tokens + Attention::kRowsReadBeyond) *
      projections_.out());
  projections_.Forward(hidden, tokens, projections, workspace);
}

template <typename T>
void EncoderLayer::ReplaceQueriesAs(const float* states,
                                    std::span<const uint32_t> rows,
                                    Workspace& workspace) const {
  T* queries = workspace.dense.ReserveAs<T>(rows.size() * width());
  projections_.ForwardFirst(states, rows.size(), width(), queries, workspace);
  T* projections = workspace.projections.As<T>();
  for (size_t r = 0; r < rows.size(); ++r) {
    std::copy_n(queries + r * width(), width(),
                projections + rows[r] * projections_.out());
  }
}

template <typename T>
void EncoderLayer::AttendAs(float* states, const AttentionPlan& plan,
                            Workspace& workspace) const {
  const size_t padded = Linear::PaddedRows(plan.rows);
  T* context = workspace.context.ReserveAs<T>(padded * width());
  float* dense = workspace.dense.Reserve(padded * width());
  attention_.Forward(workspace.projections.As<T>(), plan, context, workspace);
  attention_output_.Forward(context, plan.rows, dense, workspace);
  attention_norm_.Forward(dense, states, plan.rows, states, workspace.pool());

  T* intermediate = workspace.intermediate.ReserveAs<T>(
      Linear::PaddedRows(std::min(kPassRows, plan.rows)) * intermediate_.out());
  for (size_t first = 0; first < plan.rows; first += kPassRows) {
    const size_t count = std::min(kPassRows, plan.rows - first);
    intermediate_.Forward(states + first * width(), count, intermediate,
                          workspace);
    output_.Forward(intermediate, count, dense + first * width(), workspace);
  }
  output_norm_.Forward(dense, states, plan.rows, states, workspace.pool());
}

size_t EncoderLayer::bytes() const {
  return attention_.bytes() + projections_.bytes() + attention_output_.bytes() +
         attention_norm_.bytes() + intermediate_.bytes() + output_.bytes() +
         output_norm_.bytes();
}

}  // namespace deberta::model
