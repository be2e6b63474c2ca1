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

// T: of what stands between products, which attention reads.
template <typename T>
class LayerOf final : public EncoderLayer {
 public:
  using EncoderLayer::Parts;
  explicit LayerOf(Parts parts) : EncoderLayer(std::move(parts)) {}

  void Forward(float* hidden, size_t tokens, const AttentionPlan& plan,
               std::span<const uint32_t> rows,
               Workspace& workspace) const override;
  void Project(const float* hidden, size_t tokens,
               Workspace& workspace) const override;
  void ForwardQueries(float* states, std::span<const uint32_t> rows,
                      const AttentionPlan& plan,
                      Workspace& workspace) const override;

 private:
  // Forward, from projections on: the rows of `plan`, in place.
  void Attend(float* states, const AttentionPlan& plan,
              Workspace& workspace) const;
};

template <typename T>
void LayerOf<T>::Forward(float* hidden, size_t tokens,
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

template <typename T>
void LayerOf<T>::Project(const float* hidden, size_t tokens,
                         Workspace& workspace) const {
  // Q, K, V = H W + b
  T* projections = workspace.projections.ReserveAs<T>(
      Linear::PaddedRows(tokens + Attention::kRowsReadBeyond) *
      parts_.projections.out());
  parts_.projections.Forward(hidden, tokens, projections, workspace);
}

template <typename T>
void LayerOf<T>::ForwardQueries(float* states, std::span<const uint32_t> rows,
                                const AttentionPlan& plan,
                                Workspace& workspace) const {
  // In the place of these rows' queries of H.
  T* queries = workspace.dense.ReserveAs<T>(rows.size() * width());
  parts_.projections.ForwardFirst(states, rows.size(), width(), queries,
                                  workspace);
  T* projections = workspace.projections.As<T>();
  for (size_t r = 0; r < rows.size(); ++r) {
    std::copy_n(queries + r * width(), width(),
                projections + rows[r] * parts_.projections.out());
  }
  Attend(states, plan, workspace);
}

template <typename T>
void LayerOf<T>::Attend(float* states, const AttentionPlan& plan,
                        Workspace& workspace) const {
  const size_t rows = plan.rows;
  T* context =
      workspace.context.ReserveAs<T>(Linear::PaddedRows(rows) * width());
  float* dense = workspace.dense.Reserve(Linear::PaddedRows(rows) * width());
  // H' = LayerNorm(H + Attention(Q, K, V) W_o)
  parts_.attention.Forward(workspace.projections.As<T>(), plan, context,
                           workspace);
  parts_.attention_output.Forward(context, rows, dense, workspace);
  parts_.attention_norm.Forward(dense, states, rows, states, workspace.pool());
  // LayerNorm(H' + act(H' W_1) W_2)
  T* intermediate = workspace.intermediate.ReserveAs<T>(
      Linear::PaddedRows(std::min(kPassRows, rows)) *
      parts_.intermediate.out());
  for (size_t first = 0; first < rows; first += kPassRows) {
    const size_t count = std::min(kPassRows, rows - first);
    parts_.intermediate.Forward(states + first * width(), count, intermediate,
                                workspace);
    parts_.output.Forward(intermediate, count, dense + first * width(),
                          workspace);
  }
  parts_.output_norm.Forward(dense, states, rows, states, workspace.pool());
}

}  // namespace

absl::StatusOr<std::unique_ptr<const EncoderLayer>> EncoderLayer::Load(
    const LayerWeights& weights, std::span<const float> relative,
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
  Parts parts = {std::move(attention),
                 *std::move(projections),
                 *std::move(attention_output),
                 reader.Norm(weights.attention_norm),
                 *std::move(intermediate),
                 *std::move(output),
                 reader.Norm(weights.output_norm)};
  if (reader.attention_precision() == Precision::kBf16) {
    return std::make_unique<const LayerOf<Bf16>>(std::move(parts));
  }
  return std::make_unique<const LayerOf<float>>(std::move(parts));
}

size_t EncoderLayer::bytes() const {
  return parts_.attention.bytes() + parts_.projections.bytes() +
         parts_.attention_output.bytes() + parts_.attention_norm.bytes() +
         parts_.intermediate.bytes() + parts_.output.bytes() +
         parts_.output_norm.bytes();
}

}  // namespace deberta::model
