#include "model/gliner2_network.h"

#include <algorithm>
#include <utility>

namespace deberta::model {

absl::StatusOr<std::unique_ptr<const LabelNetwork>> Gliner2Network::Load(
    const Gliner2Config& config, const Gliner2Weights& weights,
    WeightReader& reader) {
  auto network = std::unique_ptr<Gliner2Network>(new Gliner2Network(
      config, static_cast<size_t>(reader.config().hidden_size)));
  absl::Status status =
      Keep(SpanScorer::Load(weights.spans, SpanMode::kMarkerV0, reader),
           network->spans_);
  status.Update(Keep(Mlp::Load(weights.classifier, Activation::kRelu, reader),
                     network->classifier_));
  status.Update(Keep(Mlp::Load(weights.counts, Activation::kRelu, reader),
                     network->counts_));
  status.Update(
      Keep(InstanceQueries::Load(weights, reader), network->queries_));
  if (!status.ok()) return status;
  return network;
}

void Gliner2Network::AddRowsRead(const RaggedBatch& batch,
                                 std::vector<uint32_t>* rows) const {
  AddReadingRows(config_.pooling, batch, rows);
}

Gliner2Network::Vectors Gliner2Network::Lay(const RaggedBatch& batch) const {
  Vectors vectors;
  size_t labels = 0;
  for (size_t s = 0; s < batch.readings.size(); ++s) {
    const WordReading* reading = ReadingOf(batch, s);
    const size_t words = reading == nullptr ? 0 : reading->word_begins.size();
    vectors.word_starts.push_back(vectors.word_starts.back() +
                                  static_cast<uint32_t>(words));
    if (reading == nullptr) continue;
    for (const LabelGroup& group : reading->groups) {
      vectors.groups.push_back({.sequence = s,
                                .first_label = labels,
                                .labels = group.labels,
                                .classes = group.most_instances == 0,
                                .most_instances = group.most_instances});
      labels += group.labels;
    }
  }
  vectors.words = vectors.buffers[0].Reserve(
      RowsReserved(vectors.word_starts.back()) * width_);
  vectors.labels = vectors.buffers[1].Reserve(RowsReserved(labels) * width_);
  vectors.prompts = vectors.buffers[2].Reserve(
      Linear::PaddedRows(vectors.groups.size()) * width_);
  return vectors;
}

Gliner2Network::Vectors Gliner2Network::Gather(const RaggedBatch& batch,
                                               const Hidden& hidden) const {
  Vectors vectors = Lay(batch);
  float* prompt = vectors.prompts;
  float* label = vectors.labels;
  for (size_t s = 0; s < batch.readings.size(); ++s) {
    const WordReading* reading = ReadingOf(batch, s);
    if (reading == nullptr) continue;
    const TokenStates states = {.rows = hidden.rows,
                                .start = batch.starts[s],
                                .values = hidden.last,
                                .width = width_};
    PoolWords(config_.pooling, *reading, states,
              vectors.words + vectors.word_starts[s] * width_);
    for (const LabelGroup& group : reading->groups)
      prompt = std::copy_n(states.of(group.prompt), width_, prompt);
    for (const uint32_t token : reading->labels)
      label = std::copy_n(states.of(token), width_, label);
  }
  return vectors;
}

std::vector<size_t> Gliner2Network::Count(const Vectors& vectors,
                                          Workspace& workspace) const {
  const size_t groups = vectors.groups.size();
  FloatBuffer buffer;
  float* logits = buffer.Reserve(Linear::PaddedRows(groups) * counts_->out());
  counts_->Forward(vectors.prompts, groups, logits, workspace);
  std::vector<size_t> counts;
  for (size_t i = 0; i < groups; ++i) {
    const std::span<const float> of(logits + i * counts_->out(),
                                    counts_->out());
    counts.push_back(
        vectors.groups[i].classes
            ? 0
            : static_cast<size_t>(std::ranges::max_element(of) - of.begin()));
  }
  return counts;
}

std::vector<float> Gliner2Network::ScoreClasses(const Vectors& vectors,
                                                Workspace& workspace) const {
  const Group& last = vectors.groups.back();
  const size_t labels = last.first_label + last.labels;
  if (std::ranges::none_of(vectors.groups, &Group::classes))
    return std::vector<float>(labels);
  FloatBuffer buffer;
  float* logits =
      buffer.Reserve(Linear::PaddedRows(labels) * classifier_->out());
  classifier_->Forward(vectors.labels, labels, logits, workspace);
  return {logits, logits + labels};
}

void Gliner2Network::Forward(const RaggedBatch& batch, const Hidden& hidden,
                             Workspace& workspace, BatchOutput* output) const {
  output->word_logits.assign(batch.readings.size(), {});
  const Vectors vectors = Gather(batch, hidden);
  if (vectors.groups.empty()) return;
  const std::vector<size_t> counts = Count(vectors, workspace);
  const std::vector<float> classes = ScoreClasses(vectors, workspace);
  std::vector<InstanceQueries::Group> wanted;
  for (size_t i = 0; i < counts.size(); ++i) {
    const Group& group = vectors.groups[i];
    wanted.push_back({.first = group.first_label,
                      .labels = group.labels,
                      .instances = std::min(counts[i], group.most_instances)});
  }
  const InstanceQueries::Queries queries =
      queries_->Compute(vectors.labels, wanted, workspace);
  SpanScorer::Factors factors;
  if (queries.rows > 0) {
    factors = spans_->Compute(vectors.words, vectors.word_starts,
                              queries.values, queries.rows, workspace);
  }
  for (size_t i = 0; i < counts.size(); ++i) {
    const Group& group = vectors.groups[i];
    std::vector<float>& to = output->word_logits[group.sequence];
    if (group.classes) {
      const auto first =
          classes.begin() + static_cast<std::ptrdiff_t>(group.first_label);
      to.insert(to.end(), first,
                first + static_cast<std::ptrdiff_t>(group.labels));
      continue;
    }
    to.push_back(static_cast<float>(counts[i]));
    const uint32_t first_word = vectors.word_starts[group.sequence];
    for (const size_t row : queries.firsts[i]) {
      const std::vector<float> of_instance = spans_->ScoreAll(
          factors,
          {.first_word = first_word,
           .words = vectors.word_starts[group.sequence + 1] - first_word,
           .first_label = row,
           .labels = group.labels},
          config_.head.max_span_words, workspace);
      to.insert(to.end(), of_instance.begin(), of_instance.end());
    }
  }
}

size_t Gliner2Network::bytes() const {
  return spans_->bytes() + classifier_->bytes() + counts_->bytes() +
         queries_->bytes();
}

}  // namespace deberta::model
