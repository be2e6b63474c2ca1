#include "model/gliner_network.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "model/candidate_spans.h"
#include "model/rows.h"

namespace deberta::model {

absl::StatusOr<std::unique_ptr<const LabelNetwork>> GlinerNetwork::Load(
    const GlinerConfig& config, const GlinerWeights& weights,
    WeightReader& reader) {
  auto network = std::unique_ptr<GlinerNetwork>(new GlinerNetwork(config));
  absl::Status status = absl::OkStatus();
  if (weights.fuser.has_value()) {
    status.Update(
        Keep(LayerFuser::Load(*weights.fuser, reader), network->fuser_));
  }
  if (weights.projection.weight != nullptr) {
    status.Update(Keep(reader.Pack(weights.projection), network->projection_));
  }
  for (const BidirectionalLstmWeights& layer : weights.lstm) {
    absl::StatusOr<BidirectionalLstm> lstm = LoadLstm(layer, reader);
    if (!lstm.ok()) return lstm.status();
    network->lstm_.push_back(*std::move(lstm));
  }
  if (weights.spans.has_value()) {
    status.Update(Keep(
        SpanScorer::Load(*weights.spans, network->config_.span_mode, reader),
        network->spans_));
  }
  if (weights.prompt.first.weight != nullptr) {
    status.Update(Keep(Mlp::Load(weights.prompt, Activation::kRelu, reader),
                       network->prompt_));
  }
  if (weights.tokens.has_value()) {
    status.Update(
        Keep(TokenScorer::Load(*weights.tokens, reader), network->tokens_));
  }
  if (!status.ok()) return status;
  return network;
}

void GlinerNetwork::AddRowsRead(const RaggedBatch& batch,
                                std::vector<uint32_t>* rows) const {
  AddReadingRows(config_.pooling, batch, rows);
}

GlinerNetwork::Vectors GlinerNetwork::Gather(const RaggedBatch& batch,
                                             std::span<const uint32_t> rows,
                                             const float* states,
                                             Workspace& workspace) const {
  const auto width = static_cast<size_t>(config_.width);
  Vectors vectors;
  for (size_t s = 0; s < batch.readings.size(); ++s) {
    const WordReading* reading = ReadingOf(batch, s);
    const size_t words = reading == nullptr ? 0 : reading->word_begins.size();
    const size_t labels = reading == nullptr ? 0 : reading->labels.size();
    vectors.word_starts.push_back(vectors.word_starts.back() +
                                  static_cast<uint32_t>(words));
    vectors.label_starts.push_back(vectors.label_starts.back() +
                                   static_cast<uint32_t>(labels));
  }
  vectors.words = vectors.buffers[0].Reserve(
      RowsReserved(vectors.word_starts.back()) * width);
  vectors.labels = vectors.buffers[1].Reserve(
      RowsReserved(vectors.label_starts.back()) * width);
  workspace.pool().ParallelFor(batch.readings.size(), [&](size_t s, int) {
    const WordReading* reading = ReadingOf(batch, s);
    if (reading == nullptr) return;
    const uint32_t start = batch.starts[s];
    PoolWords(config_.pooling, *reading,
              {.rows = rows, .start = start, .values = states, .width = width},
              vectors.words + vectors.word_starts[s] * width);
    float* to = vectors.labels + vectors.label_starts[s] * width;
    for (const uint32_t label : reading->labels) {
      to =
          std::copy_n(states + PlaceOf(rows, start + label) * width, width, to);
    }
  });
  return vectors;
}

void GlinerNetwork::RunLstm(Vectors* vectors, Workspace& workspace) const {
  const size_t floats = RowsReserved(vectors->word_starts.back()) *
                        static_cast<size_t>(config_.width);
  for (size_t i = 0; i < lstm_.size(); ++i) {
    FloatBuffer& buffer = vectors->buffers[i % 2 == 0 ? 2 : 0];
    float* y = buffer.Reserve(floats);
    lstm_[i].Forward(vectors->words, vectors->word_starts, y, workspace);
    vectors->words = y;
  }
}

SpanScorer::Text GlinerNetwork::TextOf(const Vectors& vectors,
                                       size_t sequence) const {
  const uint32_t word = vectors.word_starts[sequence];
  const uint32_t label = vectors.label_starts[sequence];
  return {.first_word = word,
          .words = vectors.word_starts[sequence + 1] - word,
          .first_label = label,
          .labels = vectors.label_starts[sequence + 1] - label};
}

void GlinerNetwork::ScoreSpans(const Vectors& vectors, Workspace& workspace,
                               BatchOutput* output) const {
  const size_t labels = vectors.label_starts.back();
  float* q =
      workspace.head.Reserve(Linear::PaddedRows(labels) * prompt_->out());
  if (labels > 0) prompt_->Forward(vectors.labels, labels, q, workspace);
  const SpanScorer::Factors factors =
      spans_->Compute(vectors.words, vectors.word_starts, q, labels, workspace);
  for (size_t s = 0; s < output->word_logits.size(); ++s) {
    output->word_logits[s] = spans_->ScoreAll(
        factors, TextOf(vectors, s), config_.head.max_span_words, workspace);
  }
}

void GlinerNetwork::AddCandidates(const SpanScorer::Factors& factors,
                                  const SpanScorer::Text& text,
                                  std::span<const float> thresholds,
                                  std::vector<float>* logits) const {
  std::vector<float> found;
  std::vector<uint32_t> lasts;
  uint32_t first = 0;
  const auto score = [&] {
    std::ranges::sort(lasts);
    lasts.erase(std::unique(lasts.begin(), lasts.end()), lasts.end());
    for (const uint32_t last : lasts) {
      found.push_back(static_cast<float>(first));
      found.push_back(static_cast<float>(last));
      found.resize(found.size() + text.labels);
      spans_->ScoreOne(factors, text, first, last,
                       found.data() + found.size() - text.labels);
    }
    lasts.clear();
  };
  ForEachCandidateSpan(config_.head.kind, *logits, thresholds,
                       [&](const CandidateSpan& span) {
                         if (span.first != first) {
                           score();
                           first = span.first;
                         }
                         lasts.push_back(span.last);
                       });
  score();
  logits->insert(logits->end(), found.begin(), found.end());
}

void GlinerNetwork::ScoreTokens(const RaggedBatch& batch,
                                const Vectors& vectors, Workspace& workspace,
                                BatchOutput* output) const {
  // A text alone: its words meet its own labels.
  const auto width = static_cast<size_t>(config_.width);
  for (size_t s = 0; s < output->word_logits.size(); ++s) {
    const SpanScorer::Text text = TextOf(vectors, s);
    output->word_logits[s] = tokens_->Score(
        vectors.words + text.first_word * width, text.words,
        vectors.labels + text.first_label * width, text.labels, workspace);
  }
  if (!spans_.has_value()) return;
  // Of labels as they are: prompt_rep_layer is of span models.
  const SpanScorer::Factors factors =
      spans_->Compute(vectors.words, vectors.word_starts, vectors.labels,
                      vectors.label_starts.back(), workspace);
  workspace.pool().ParallelFor(output->word_logits.size(), [&](size_t s, int) {
    const WordReading* reading = ReadingOf(batch, s);
    if (reading == nullptr || output->word_logits[s].empty()) return;
    AddCandidates(factors, TextOf(vectors, s), reading->thresholds,
                  &output->word_logits[s]);
  });
}

void GlinerNetwork::Forward(const RaggedBatch& batch, const Hidden& hidden,
                            Workspace& workspace, BatchOutput* output) const {
  output->word_logits.assign(batch.readings.size(), {});
  const size_t rows = hidden.rows.empty() ? batch.tokens() : hidden.rows.size();
  if (fuser_.has_value()) {
    fuser_->Forward(batch, hidden.layers, hidden.last, workspace);
  }
  const float* states = hidden.last;
  if (projection_.has_value()) {
    float* projected = workspace.projections.Reserve(Linear::PaddedRows(rows) *
                                                     projection_->out());
    projection_->Forward(states, rows, projected, workspace);
    states = projected;
  }
  Vectors vectors = Gather(batch, hidden.rows, states, workspace);
  RunLstm(&vectors, workspace);
  if (tokens_.has_value()) {
    ScoreTokens(batch, vectors, workspace, output);
  } else {
    ScoreSpans(vectors, workspace, output);
  }
}

size_t GlinerNetwork::bytes() const {
  size_t bytes = 0;
  const auto add = [&bytes](const auto& layer) {
    if (layer.has_value()) bytes += layer->bytes();
  };
  add(fuser_);
  add(projection_);
  for (const BidirectionalLstm& layer : lstm_) bytes += layer.bytes();
  add(prompt_);
  add(spans_);
  add(tokens_);
  return bytes;
}

}  // namespace deberta::model
