#include "model/gliclass_network.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace deberta::model {
namespace {

// Of a Hopfield scorer.
constexpr double kBeta = 4;
constexpr float kEpsilon = 1e-8f;  // of norms

double Dot(const float* a, const float* b, size_t width) {
  double sum = 0;
  for (size_t i = 0; i < width; ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

// Tokens [0, tokens) of `state` -> to [width].
void PoolText(TextPooling pooling, size_t tokens,
              const std::function<const float*(size_t)>& state, size_t width,
              float* to) {
  if (pooling == TextPooling::kFirst || pooling == TextPooling::kLast) {
    std::copy_n(state(pooling == TextPooling::kFirst ? 0 : tokens - 1), width,
                to);
    return;
  }
  const auto value = [pooling](float x) -> double {
    if (pooling == TextPooling::kRootMeanSquare) return double{x} * x;
    const bool signs = pooling == TextPooling::kMax ||
                       pooling == TextPooling::kMean ||
                       pooling == TextPooling::kSum;
    return signs ? x : std::abs(x);
  };
  const bool largest =
      pooling == TextPooling::kMax || pooling == TextPooling::kLargestMagnitude;
  std::vector<double> pooled(width);
  for (size_t t = 0; t < tokens; ++t) {
    const float* token = state(t);
    for (size_t i = 0; i < width; ++i) {
      const double x = value(token[i]);
      if (t == 0) {
        pooled[i] = x;
      } else {
        pooled[i] = largest ? std::max(pooled[i], x) : pooled[i] + x;
      }
    }
  }
  const bool sum = largest || pooling == TextPooling::kSum;
  for (size_t i = 0; i < width; ++i) {
    const double x = sum ? pooled[i] : pooled[i] / static_cast<double>(tokens);
    to[i] = static_cast<float>(
        pooling == TextPooling::kRootMeanSquare ? std::sqrt(x) : x);
  }
}

void Normalize(float* rows, size_t count, size_t width) {
  for (size_t r = 0; r < count; ++r) {
    float* row = rows + r * width;
    const auto norm = static_cast<float>(std::sqrt(Dot(row, row, width)));
    for (size_t i = 0; i < width; ++i) row[i] /= norm + kEpsilon;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<const LabelNetwork>> GliclassNetwork::Load(
    const GliclassConfig& config, const GliclassWeights& weights,
    WeightReader& reader) {
  auto network = std::unique_ptr<GliclassNetwork>(new GliclassNetwork(
      config, static_cast<size_t>(reader.config().hidden_size)));
  absl::Status status = absl::OkStatus();
  if (weights.lstm.has_value())
    status.Update(Keep(LoadLstm(*weights.lstm, reader), network->lstm_));
  status.Update(
      Keep(Mlp::Load(weights.text, config.activation, reader), network->text_));
  status.Update(Keep(Mlp::Load(weights.labels, config.activation, reader),
                     network->labels_));
  status.Update(network->LoadScorer(weights, reader));
  if (!status.ok()) return status;
  if (config.normalizes)
    network->logit_scale_ = reader.Read(weights.logit_scale)[0];
  return network;
}

absl::Status GliclassNetwork::LoadScorer(const GliclassWeights& weights,
                                         WeightReader& reader) {
  absl::Status status = absl::OkStatus();
  if (weights.weighted_dot.has_value()) {
    status.Update(
        Keep(TokenScorer::Load(*weights.weighted_dot, reader), weighted_dot_));
  }
  for (size_t i = 0; i < hopfield_.size(); ++i) {
    if (weights.hopfield[i].weight == nullptr) continue;
    status.Update(Keep(reader.Pack(weights.hopfield[i]), hopfield_[i]));
  }
  for (size_t i = 0; i < mlp_.size(); ++i) {
    if (weights.mlp[i].weight == nullptr) continue;
    const bool last = i + 1 == mlp_.size();
    status.Update(Keep(reader.Pack(weights.mlp[i], last ? Activation::kLinear
                                                        : Activation::kRelu),
                       mlp_[i]));
  }
  return status;
}

void GliclassNetwork::AddRowsRead(const RaggedBatch& batch,
                                  std::vector<uint32_t>* rows) const {
  const auto add = [rows](uint32_t begin, uint32_t end) {
    for (uint32_t row = begin; row < end; ++row) rows->push_back(row);
  };
  for (size_t s = 0; s < batch.readings.size(); ++s) {
    const WordReading* reading = ReadingOf(batch, s);
    if (reading == nullptr) continue;
    const uint32_t start = batch.starts[s];
    uint32_t begin = start + reading->word_begins[0];
    uint32_t end = start + reading->word_ends[0];
    if (!lstm_.has_value()) {
      if (config_.pooling == TextPooling::kFirst) end = begin + 1;
      if (config_.pooling == TextPooling::kLast) begin = end - 1;
    }
    add(begin, end);
    for (size_t l = 0; l < reading->labels.size(); ++l) {
      const uint32_t label = reading->labels[l];
      add(start + label,
          start + (config_.head.averages_labels ? reading->label_ends[l]
                                                : label + 1));
    }
  }
}

void GliclassNetwork::PoolAfterLstm(const RaggedBatch& batch,
                                    const Hidden& hidden, Workspace& workspace,
                                    Vectors* vectors) const {
  std::vector<uint32_t> starts = {0};
  for (const size_t s : vectors->sequences) {
    const WordReading& reading = *ReadingOf(batch, s);
    starts.push_back(starts.back() + reading.word_ends[0] -
                     reading.word_begins[0]);
  }
  const size_t floats = RowsReserved(starts.back()) * width_;
  float* x = vectors->buffers[2].Reserve(floats);
  float* y = vectors->buffers[3].Reserve(floats);
  float* to = x;
  for (const size_t s : vectors->sequences) {
    const WordReading& reading = *ReadingOf(batch, s);
    const TokenStates states = {.rows = hidden.rows,
                                .start = batch.starts[s],
                                .values = hidden.last,
                                .width = width_};
    for (uint32_t t = reading.word_begins[0]; t < reading.word_ends[0]; ++t)
      to = std::copy_n(states.of(t), width_, to);
  }
  lstm_->Forward(x, starts, y, workspace);
  for (size_t i = 0; i < vectors->sequences.size(); ++i) {
    PoolText(
        config_.pooling, starts[i + 1] - starts[i],
        [&](size_t token) { return y + (starts[i] + token) * width_; }, width_,
        vectors->texts + i * width_);
  }
}

GliclassNetwork::Vectors GliclassNetwork::Gather(const RaggedBatch& batch,
                                                 const Hidden& hidden,
                                                 Workspace& workspace) const {
  Vectors vectors;
  for (size_t s = 0; s < batch.readings.size(); ++s) {
    const WordReading* reading = ReadingOf(batch, s);
    if (reading == nullptr) continue;
    vectors.sequences.push_back(s);
    vectors.label_starts.push_back(
        vectors.label_starts.back() +
        static_cast<uint32_t>(reading->labels.size()));
  }
  vectors.texts = vectors.buffers[0].Reserve(
      RowsReserved(vectors.sequences.size()) * width_);
  vectors.labels = vectors.buffers[1].Reserve(
      RowsReserved(vectors.label_starts.back()) * width_);
  if (lstm_.has_value()) PoolAfterLstm(batch, hidden, workspace, &vectors);
  workspace.pool().ParallelFor(vectors.sequences.size(), [&](size_t i, int) {
    const size_t s = vectors.sequences[i];
    const WordReading& reading = *ReadingOf(batch, s);
    const TokenStates states = {.rows = hidden.rows,
                                .start = batch.starts[s],
                                .values = hidden.last,
                                .width = width_};
    const auto pool = [&](TextPooling pooling, uint32_t begin, uint32_t end,
                          float* to) {
      PoolText(
          pooling, end - begin,
          [&](size_t token) {
            return states.of(begin + static_cast<uint32_t>(token));
          },
          width_, to);
    };
    if (!lstm_.has_value()) {
      pool(config_.pooling, reading.word_begins[0], reading.word_ends[0],
           vectors.texts + i * width_);
    }
    float* to = vectors.labels + vectors.label_starts[i] * width_;
    for (size_t l = 0; l < reading.labels.size(); ++l, to += width_) {
      const uint32_t label = reading.labels[l];
      const bool mean = config_.head.averages_labels;
      pool(mean ? TextPooling::kMean : TextPooling::kFirst, label,
           mean ? reading.label_ends[l] : label + 1, to);
    }
  });
  return vectors;
}

void GliclassNetwork::Project(Vectors* vectors, Workspace& workspace) const {
  const auto project = [&](const Mlp& mlp, size_t rows, FloatBuffer& buffer,
                           float** x) {
    float* y = buffer.Reserve(RowsReserved(rows) * width_);
    mlp.Forward(*x, rows, y, workspace);
    if (config_.normalizes) Normalize(y, rows, width_);
    *x = y;
  };
  project(*text_, vectors->sequences.size(), vectors->buffers[2],
          &vectors->texts);
  project(*labels_, vectors->label_starts.back(), vectors->buffers[3],
          &vectors->labels);
}

std::vector<float> GliclassNetwork::ScoreDot(const Vectors& vectors) const {
  std::vector<float> logits;
  for (size_t i = 0; i < vectors.sequences.size(); ++i) {
    for (uint32_t l = vectors.label_starts[i]; l < vectors.label_starts[i + 1];
         ++l) {
      logits.push_back(static_cast<float>(Dot(
          vectors.texts + i * width_, vectors.labels + l * width_, width_)));
    }
  }
  return logits;
}

std::vector<float> GliclassNetwork::RunMlp(const float* x, size_t rows,
                                           Workspace& workspace) const {
  std::array<FloatBuffer, 3> buffers;
  for (size_t i = 0; i < mlp_.size(); ++i) {
    float* y = buffers[i].Reserve(Linear::PaddedRows(rows) * mlp_[i]->out());
    mlp_[i]->Forward(x, rows, y, workspace);
    x = y;
  }
  return {x, x + rows};
}

std::vector<float> GliclassNetwork::ScoreMlp(const Vectors& vectors,
                                             Workspace& workspace) const {
  const size_t labels = vectors.label_starts.back();
  FloatBuffer buffer;
  float* pairs = buffer.Reserve(Linear::PaddedRows(labels) * 2 * width_);
  float* to = pairs;
  for (size_t i = 0; i < vectors.sequences.size(); ++i) {
    for (uint32_t l = vectors.label_starts[i]; l < vectors.label_starts[i + 1];
         ++l) {
      to = std::copy_n(vectors.texts + i * width_, width_, to);
      to = std::copy_n(vectors.labels + l * width_, width_, to);
    }
  }
  return RunMlp(pairs, labels, workspace);
}

std::vector<float> GliclassNetwork::ScoreWeightedDot(
    const Vectors& vectors, Workspace& workspace) const {
  std::vector<float> logits;
  for (size_t i = 0; i < vectors.sequences.size(); ++i) {
    const uint32_t first = vectors.label_starts[i];
    const std::vector<float> of_text = weighted_dot_->Score(
        vectors.texts + i * width_, 1, vectors.labels + first * width_,
        vectors.label_starts[i + 1] - first, workspace);
    logits.insert(logits.end(), of_text.begin(), of_text.end());
  }
  return logits;
}

std::vector<float> GliclassNetwork::ScoreHopfield(const Vectors& vectors,
                                                  Workspace& workspace) const {
  const size_t labels = vectors.label_starts.back();
  const size_t texts = vectors.sequences.size();
  std::array<FloatBuffer, 4> buffers;
  const auto product = [&](size_t index, const float* x, size_t rows) {
    float* y = buffers[index].Reserve(Linear::PaddedRows(rows) * width_);
    hopfield_[index]->Forward(x, rows, y, workspace);
    return y;
  };
  const float* q = product(0, vectors.labels, labels);
  const float* k = product(1, vectors.texts, texts);
  const float* v = product(2, vectors.texts, texts);
  float* sums = buffers[3].Reserve(Linear::PaddedRows(labels) * width_);
  for (size_t i = 0; i < texts; ++i) {
    const uint32_t first = vectors.label_starts[i];
    std::vector<double> weights;
    for (uint32_t l = first; l < vectors.label_starts[i + 1]; ++l)
      weights.push_back(kBeta * Dot(q + l * width_, k + i * width_, width_));
    if (weights.empty()) continue;
    const double largest = *std::ranges::max_element(weights);
    double sum = 0;
    for (double& weight : weights) sum += weight = std::exp(weight - largest);
    for (size_t l = 0; l < weights.size(); ++l) {
      const auto weight = static_cast<float>(weights[l] / sum);
      const float* label = vectors.labels + (first + l) * width_;
      float* to = sums + (first + l) * width_;
      for (size_t d = 0; d < width_; ++d)
        to[d] = label[d] + weight * v[i * width_ + d];
    }
  }
  return RunMlp(sums, labels, workspace);
}

void GliclassNetwork::Forward(const RaggedBatch& batch, const Hidden& hidden,
                              Workspace& workspace, BatchOutput* output) const {
  output->word_logits.assign(batch.readings.size(), {});
  Vectors vectors = Gather(batch, hidden, workspace);
  if (vectors.label_starts.back() == 0) return;
  Project(&vectors, workspace);
  std::vector<float> logits;
  switch (config_.scorer) {
    case ClassScorer::kDot:
      logits = ScoreDot(vectors);
      break;
    case ClassScorer::kMlp:
      logits = ScoreMlp(vectors, workspace);
      break;
    case ClassScorer::kWeightedDot:
      logits = ScoreWeightedDot(vectors, workspace);
      break;
    case ClassScorer::kHopfield:
      logits = ScoreHopfield(vectors, workspace);
      break;
  }
  for (float& logit : logits) logit *= logit_scale_;
  for (size_t i = 0; i < vectors.sequences.size(); ++i) {
    output->word_logits[vectors.sequences[i]].assign(
        logits.begin() + vectors.label_starts[i],
        logits.begin() + vectors.label_starts[i + 1]);
  }
}

size_t GliclassNetwork::bytes() const {
  size_t bytes = 0;
  const auto add = [&bytes](const auto& layer) {
    if (layer.has_value()) bytes += layer->bytes();
  };
  add(lstm_);
  add(text_);
  add(labels_);
  add(weighted_dot_);
  for (const auto& layer : mlp_) add(layer);
  for (const auto& layer : hopfield_) add(layer);
  return bytes;
}

}  // namespace deberta::model
