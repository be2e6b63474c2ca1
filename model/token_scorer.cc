#include "model/token_scorer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "model/layers/span_products.h"

namespace deberta::model {
namespace {

// Pairs of a word and a label that are computed together.
constexpr size_t kPairsPerPass = 512;

// `out` rows from `row` on of a weight, and `in` of its columns from `column`
// on, with rows of zeros up to `padded`.
struct Block {
  size_t row = 0;
  size_t out = 0;
  size_t column = 0;
  size_t in = 0;
  size_t padded = 0;
};

Linear::Source SourceOf(const std::vector<float>& weight, size_t columns,
                        const Block& block, std::vector<float> bias) {
  return {.out = block.padded,
          .in = block.in,
          .read_row =
              [&weight, columns, block](size_t row, std::span<float> values) {
                if (row < block.out) {
                  std::copy_n(
                      &weight[(block.row + row) * columns + block.column],
                      block.in, values.begin());
                } else {
                  std::ranges::fill(values, 0.0f);
                }
              },
          .bias = std::move(bias)};
}

}  // namespace

absl::StatusOr<TokenScorer> TokenScorer::Load(const TokenScorerWeights& weights,
                                              WeightReader& reader) {
  TokenScorer scorer;
  absl::Status status = absl::OkStatus();
  const auto keep = [&](const Linear::Source& source,
                        std::optional<Linear>& linear) {
    status.Update(Keep(reader.Pack(source), linear));
  };
  const auto d = static_cast<size_t>(weights.token.weight->shape[1]);
  // Both halves of a projection.
  const auto halves = [&](const LinearWeights& part,
                          std::optional<Linear>& first,
                          std::optional<Linear>& second) {
    const std::vector<float> weight = reader.Read(part.weight);
    const std::vector<float> bias = reader.Read(part.bias);
    const auto middle = bias.begin() + static_cast<std::ptrdiff_t>(d);
    keep(SourceOf(weight, d, {.row = 0, .out = d, .in = d, .padded = d},
                  {bias.begin(), middle}),
         first);
    keep(SourceOf(weight, d, {.row = d, .out = d, .in = d, .padded = d},
                  {middle, bias.end()}),
         second);
  };
  halves(weights.token, scorer.token_, scorer.token_factor_);
  halves(weights.label, scorer.label_, scorer.label_factor_);

  const std::vector<float> inner = reader.Read(weights.scores.first.weight);
  const size_t out = inner.size() / (3 * d);
  scorer.width_ = PaddedSpanWidth(out);
  const auto part = [&](size_t index, std::vector<float> bias) {
    return SourceOf(
        inner, 3 * d,
        {.out = out, .column = index * d, .in = d, .padded = scorer.width_},
        std::move(bias));
  };
  keep(part(0, reader.Read(weights.scores.first.bias)), scorer.from_token_);
  keep(part(1, {}), scorer.from_label_);
  keep(part(2, {}), scorer.from_product_);
  if (!status.ok()) return status;

  const std::vector<float> output = reader.Read(weights.scores.second.weight);
  scorer.output_bias_ = reader.Read(weights.scores.second.bias);
  float* rows = scorer.output_.Reserve(scorer.outputs() * scorer.width_);
  for (size_t o = 0; o < scorer.outputs(); ++o) {
    std::copy_n(&output[o * out], out, rows + o * scorer.width_);
  }
  return scorer;
}

std::vector<float> TokenScorer::Score(const float* x, size_t words,
                                      const float* p, size_t labels,
                                      Workspace& workspace) const {
  std::vector<float> logits(words * labels * outputs());
  if (logits.empty()) return logits;
  const size_t d = token_->in();
  std::array<FloatBuffer, 8> buffers;
  const auto product = [&](const Linear& linear, const float* from, size_t rows,
                           FloatBuffer& buffer) {
    float* y = buffer.Reserve(Linear::PaddedRows(rows) * linear.out());
    linear.Forward(from, rows, y, workspace);
    return y;
  };
  const float* a = product(*from_token_, product(*token_, x, words, buffers[0]),
                           words, buffers[5]);
  const float* t1 = product(*token_factor_, x, words, buffers[1]);
  const float* b =
      product(*from_label_, product(*label_, p, labels, buffers[2]), labels,
              buffers[6]);
  const float* l1 = product(*label_factor_, p, labels, buffers[3]);

  const size_t step = std::max(size_t{1}, kPairsPerPass / labels);
  const size_t most = Linear::PaddedRows(std::min(step, words) * labels);
  float* pairs = buffers[4].Reserve(most * d);
  float* inner = buffers[7].Reserve(most * width_);
  for (size_t first = 0; first < words; first += step) {
    const size_t count = std::min(step, words - first);
    for (size_t n = 0; n < count * labels; ++n) {
      const float* token = t1 + (first + n / labels) * d;
      const float* label = l1 + n % labels * d;
      for (size_t i = 0; i < d; ++i) pairs[n * d + i] = token[i] * label[i];
    }
    from_product_->Forward(pairs, count * labels, inner, workspace);
    workspace.pool().ParallelFor(count, [&](size_t word, int) {
      float* rows = inner + word * labels * width_;
      for (size_t i = 0; i < labels * width_; ++i) rows[i] += b[i];
      ComputeSpanProducts({.a = a + (first + word) * width_,
                           .b = rows,
                           .spans = labels,
                           .u = output_.get(),
                           .u_stride = width_,
                           .bias = output_bias_.data(),
                           .labels = outputs(),
                           .width = width_},
                          &logits[(first + word) * labels * outputs()]);
    });
  }
  return logits;
}

size_t TokenScorer::bytes() const {
  size_t bytes = output_.capacity() * sizeof(float);
  for (const auto* linear : {&token_, &token_factor_, &label_, &label_factor_,
                             &from_token_, &from_label_, &from_product_}) {
    if (linear->has_value()) bytes += (*linear)->bytes();
  }
  return bytes;
}

}  // namespace deberta::model
