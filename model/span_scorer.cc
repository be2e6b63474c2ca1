#include "model/span_scorer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "model/layers/span_products.h"

namespace deberta::model {
namespace {

// Columns [first, first + in) of a weight [out, columns], with rows of zeros up
// to a width that products take.
Linear::Source ColumnsOf(const std::vector<float>& weight, size_t columns,
                         size_t first, size_t in, std::vector<float> bias) {
  const size_t out = weight.size() / columns;
  return {.out = PaddedSpanWidth(out),
          .in = in,
          .read_row =
              [&weight, columns, first, in, out](size_t row,
                                                 std::span<float> values) {
                if (row < out) {
                  std::copy_n(&weight[row * columns + first], in,
                              values.begin());
                } else {
                  std::ranges::fill(values, 0.0f);
                }
              },
          .bias = std::move(bias)};
}

// Rows of q's products with the columns of a weight [in, parts * inner], each
// part padded, and, behind them, with `bias` [in].
Linear::Source TransposeOf(const std::vector<float>& weight, size_t parts,
                           const std::vector<float>& bias) {
  const size_t in = bias.size();
  const size_t columns = weight.size() / in;
  const size_t inner = columns / parts;
  const size_t padded = PaddedSpanWidth(inner);
  const auto read = [&weight, &bias, in, columns, inner, padded, parts](
                        size_t row, std::span<float> values) {
    std::ranges::fill(values, 0.0f);
    if (row == parts * padded) std::ranges::copy(bias, values.begin());
    if (row >= parts * padded || row % padded >= inner) return;
    const size_t column = row / padded * inner + row % padded;
    for (size_t i = 0; i < in; ++i) values[i] = weight[i * columns + column];
  };
  return {.out = parts * padded + kSpanWidthStep,
          .in = in,
          .read_row = read,
          .bias = {}};
}

}  // namespace

absl::StatusOr<SpanScorer> SpanScorer::Load(const SpanScorerWeights& weights,
                                            SpanMode mode,
                                            WeightReader& reader) {
  SpanScorer scorer;
  scorer.separable_ = mode == SpanMode::kMarker;
  absl::Status status = absl::OkStatus();
  const auto keep = [&](absl::StatusOr<Linear> packed,
                        std::optional<Linear>& linear) {
    if (packed.ok()) linear = *std::move(packed);
    status.Update(packed.status());
  };
  keep(reader.Pack(weights.start.first, Activation::kRelu),
       scorer.start_inner_);
  keep(reader.Pack(weights.end.first, Activation::kRelu), scorer.end_inner_);
  // The last product's input is cut off at 0.
  const auto outer = [&](const LinearWeights& part) {
    const std::vector<float> weight = reader.Read(part.weight);
    const auto in = static_cast<size_t>(part.weight->shape[1]);
    Linear::Source source =
        ColumnsOf(weight, in, 0, in, reader.Read(part.bias));
    if (!scorer.separable_) {
      source.out = static_cast<size_t>(part.weight->shape[0]);
    }
    source.activation = Activation::kRelu;
    return reader.Pack(source);
  };
  keep(outer(weights.start.second), scorer.start_outer_);
  keep(outer(weights.end.second), scorer.end_outer_);
  status.Update(scorer.separable_ ? scorer.LoadMarker(weights, reader)
                                  : scorer.LoadSpan(weights, reader));
  if (!status.ok()) return status;
  return scorer;
}

absl::Status SpanScorer::LoadMarker(const SpanScorerWeights& weights,
                                    WeightReader& reader) {
  const std::vector<float> weight = reader.Read(weights.span.first.weight);
  const std::vector<float> bias = reader.Read(weights.span.first.bias);
  auto label = reader.Pack(TransposeOf(weight, 2, bias));
  if (!label.ok()) return label.status();
  label_ = *std::move(label);
  width_ = PaddedSpanWidth(bias.size());
  return absl::OkStatus();
}

absl::Status SpanScorer::LoadSpan(const SpanScorerWeights& weights,
                                  WeightReader& reader) {
  const TensorView& first = *weights.span.first.weight;
  const auto columns = static_cast<size_t>(first.shape[1]);
  const std::vector<float> weight = reader.Read(&first);
  const std::vector<float> outer = reader.Read(weights.span.second.weight);
  const std::vector<float> bias = reader.Read(weights.span.second.bias);
  const size_t d = bias.size();
  width_ = PaddedSpanWidth(static_cast<size_t>(first.shape[0]));
  absl::Status status = absl::OkStatus();
  const auto keep = [&](const Linear::Source& source,
                        std::optional<Linear>& linear) {
    status.Update(Keep(reader.Pack(source), linear));
  };
  keep(ColumnsOf(weight, columns, 0, d, reader.Read(weights.span.first.bias)),
       first_);
  keep(ColumnsOf(weight, columns, d, d, {}), last_);
  if (columns > 2 * d) keep(ColumnsOf(weight, columns, 2 * d, d, {}), mean_);
  keep(TransposeOf(outer, 1, bias), label_);
  return status;
}

void SpanScorer::AddMeans(const float* x, std::span<const uint32_t> starts,
                          float* a, Workspace& workspace) const {
  const size_t texts = starts.size() - 1;
  const size_t d = mean_->in();
  FloatBuffer buffer;
  float* means = buffer.Reserve(Linear::PaddedRows(texts) * (d + width_));
  float* products = means + Linear::PaddedRows(texts) * d;
  for (size_t t = 0; t < texts; ++t) {
    float* mean = means + t * d;
    for (size_t word = starts[t]; word < starts[t + 1]; ++word) {
      for (size_t i = 0; i < d; ++i) mean[i] += x[word * d + i];
    }
    const auto words =
        static_cast<float>(std::max(starts[t + 1] - starts[t], 1u));
    for (size_t i = 0; i < d; ++i) mean[i] = std::max(mean[i] / words, 0.0f);
  }
  mean_->Forward(means, texts, products, workspace);
  for (size_t t = 0; t < texts; ++t) {
    for (size_t word = starts[t]; word < starts[t + 1]; ++word) {
      for (size_t i = 0; i < width_; ++i) {
        a[word * width_ + i] += products[t * width_ + i];
      }
    }
  }
}

SpanScorer::Factors SpanScorer::Compute(const float* x,
                                        std::span<const uint32_t> starts,
                                        const float* q, size_t labels,
                                        Workspace& workspace) const {
  Factors factors;
  const size_t words = starts.back();
  const size_t padded = Linear::PaddedRows(words);
  float* inner = workspace.intermediate.Reserve(padded * start_inner_->out());
  const auto side = [&](const Linear& first, const Linear& second,
                        const std::optional<Linear>& last,
                        FloatBuffer& buffer) {
    first.Forward(x, words, inner, workspace);
    if (!last.has_value()) {
      float* y = buffer.Reserve(padded * second.out());
      second.Forward(inner, words, y, workspace);
      return y;
    }
    float* outer = workspace.context.Reserve(padded * second.out());
    second.Forward(inner, words, outer, workspace);
    float* y = buffer.Reserve(padded * last->out());
    last->Forward(outer, words, y, workspace);
    return y;
  };
  float* a = side(*start_inner_, *start_outer_, first_, factors.buffers[0]);
  if (mean_.has_value()) AddMeans(x, starts, a, workspace);
  const float* b = side(*end_inner_, *end_outer_, last_, factors.buffers[1]);
  float* u =
      factors.buffers[2].Reserve(Linear::PaddedRows(labels) * label_->out());
  if (labels > 0) label_->Forward(q, labels, u, workspace);
  factors.starts = a;
  factors.ends = b;
  factors.labels = u;
  return factors;
}

std::vector<float> SpanScorer::Biases(const Factors& factors,
                                      const Text& text) const {
  std::vector<float> biases(text.labels);
  const size_t place = label_->out() - kSpanWidthStep;
  for (size_t c = 0; c < text.labels; ++c) {
    biases[c] = factors.labels[(text.first_label + c) * label_->out() + place];
  }
  return biases;
}

void SpanScorer::MultiplySide(const float* words, const float* labels,
                              const Text& text, const float* bias,
                              float* products) const {
  FloatBuffer zeros;
  ComputeSpanProducts({.a = zeros.Reserve(width_),
                       .b = words + text.first_word * width_,
                       .spans = text.words,
                       .u = labels + text.first_label * label_->out(),
                       .u_stride = label_->out(),
                       .bias = bias,
                       .labels = text.labels,
                       .width = width_},
                      products);
}

std::vector<float> SpanScorer::ScoreAll(const Factors& factors,
                                        const Text& text, size_t max_span_words,
                                        Workspace& workspace) const {
  const size_t labels = text.labels;
  std::vector<float> logits(text.words * max_span_words * labels,
                            std::numeric_limits<float>::lowest());
  if (logits.empty()) return logits;
  const std::vector<float> biases = Biases(factors, text);
  std::vector<float> firsts;
  std::vector<float> lasts;
  if (separable_) {
    firsts.resize(text.words * labels);
    lasts.resize(text.words * labels);
    const std::vector<float> none(labels, 0.0f);
    workspace.pool().ParallelFor(2, [&](size_t side, int) {
      if (side == 0) {
        MultiplySide(factors.starts, factors.labels, text, biases.data(),
                     firsts.data());
      } else {
        MultiplySide(factors.ends, factors.labels + width_, text, none.data(),
                     lasts.data());
      }
    });
  }
  constexpr size_t kWordsPerTask = 4;
  workspace.pool().ParallelForRanges(
      text.words, kWordsPerTask, [&](size_t begin, size_t end, int) {
        for (size_t i = begin; i < end; ++i) {
          const size_t spans = std::min(max_span_words, text.words - i);
          float* to = &logits[i * max_span_words * labels];
          if (separable_) {
            for (size_t n = 0; n < spans * labels; ++n) {
              to[n] = firsts[i * labels + n % labels] + lasts[i * labels + n];
            }
            continue;
          }
          const size_t word = text.first_word + i;
          ComputeSpanProducts(
              {.a = factors.starts + word * width_,
               .b = factors.ends + word * width_,
               .spans = spans,
               .u = factors.labels + text.first_label * label_->out(),
               .u_stride = label_->out(),
               .bias = biases.data(),
               .labels = labels,
               .width = width_},
              to);
        }
      });
  return logits;
}

void SpanScorer::ScoreOne(const Factors& factors, const Text& text,
                          size_t first, size_t last, float* logits) const {
  const std::vector<float> biases = Biases(factors, text);
  ComputeSpanProducts({.a = factors.starts + (text.first_word + first) * width_,
                       .b = factors.ends + (text.first_word + last) * width_,
                       .spans = 1,
                       .u = factors.labels + text.first_label * label_->out(),
                       .u_stride = label_->out(),
                       .bias = biases.data(),
                       .labels = text.labels,
                       .width = width_},
                      logits);
}

size_t SpanScorer::bytes() const {
  size_t bytes = 0;
  for (const auto* linear : {&start_inner_, &start_outer_, &end_inner_,
                             &end_outer_, &first_, &last_, &mean_, &label_}) {
    if (linear->has_value()) bytes += (*linear)->bytes();
  }
  return bytes;
}

}  // namespace deberta::model
