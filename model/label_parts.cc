#include "model/label_parts.h"

#include <algorithm>
#include <functional>

#include "model/label_network.h"
#include "model/rows.h"

namespace deberta::model {
namespace {

BidirectionalLstm::Direction ReadDirection(const RecurrentWeights& weights,
                                           WeightReader& reader) {
  BidirectionalLstm::Direction direction = {
      .input = reader.Read(weights.input),
      .state = reader.Read(weights.state),
      .bias = reader.Read(weights.input_bias)};
  const std::vector<float> other = reader.Read(weights.state_bias);
  std::ranges::transform(direction.bias, other, direction.bias.begin(),
                         std::plus<>());
  return direction;
}

// Those that PoolWords() reads.
void AddWordRows(WordPooling pooling, const WordReading& reading,
                 uint32_t start, std::vector<uint32_t>* rows) {
  for (size_t w = 0; w < reading.word_begins.size(); ++w) {
    uint32_t begin = reading.word_begins[w];
    uint32_t end = reading.word_ends[w];
    if (begin == end) continue;
    if (pooling == WordPooling::kFirst) end = begin + 1;
    if (pooling == WordPooling::kLast) begin = end - 1;
    for (uint32_t t = begin; t < end; ++t) rows->push_back(start + t);
  }
}

}  // namespace

absl::StatusOr<Mlp> Mlp::Load(const MlpWeights& weights, Activation activation,
                              WeightReader& reader) {
  absl::StatusOr<Linear> first = reader.Pack(weights.first, activation);
  if (!first.ok()) return first.status();
  absl::StatusOr<Linear> second = reader.Pack(weights.second);
  if (!second.ok()) return second.status();
  return Mlp(*std::move(first), *std::move(second));
}

void Mlp::Forward(const float* x, size_t rows, float* y,
                  Workspace& workspace) const {
  float* inner =
      workspace.intermediate.Reserve(Linear::PaddedRows(rows) * first_.out());
  first_.Forward(x, rows, inner, workspace);
  second_.Forward(inner, rows, y, workspace);
}

absl::StatusOr<BidirectionalLstm> LoadLstm(
    const BidirectionalLstmWeights& weights, WeightReader& reader) {
  const auto size = static_cast<size_t>(weights.forward.state->shape[1]);
  const auto in = static_cast<size_t>(weights.forward.input->shape[1]);
  const auto forward = ReadDirection(weights.forward, reader);
  const auto backward = ReadDirection(weights.backward, reader);
  auto input =
      reader.Pack(BidirectionalLstm::InputSource(forward, backward, size, in));
  if (!input.ok()) return input.status();
  auto first = reader.Pack(BidirectionalLstm::StateSource(forward, size));
  if (!first.ok()) return first.status();
  auto second = reader.Pack(BidirectionalLstm::StateSource(backward, size));
  if (!second.ok()) return second.status();
  return BidirectionalLstm(*std::move(input), *std::move(first),
                           *std::move(second), size);
}

size_t RowsReserved(size_t rows) {
  return Linear::PaddedRows(rows + Gemm::kRowStep);
}

const WordReading* ReadingOf(const RaggedBatch& batch, size_t sequence) {
  return sequence < batch.readings.size() ? batch.readings[sequence].get()
                                          : nullptr;
}

const float* TokenStates::of(uint32_t token) const {
  return values + PlaceOf(rows, start + token) * width;
}

void AddReadingRows(WordPooling pooling, const RaggedBatch& batch,
                    std::vector<uint32_t>* rows) {
  for (size_t s = 0; s < batch.readings.size(); ++s) {
    const WordReading* reading = ReadingOf(batch, s);
    if (reading == nullptr) continue;
    const uint32_t start = batch.starts[s];
    for (const uint32_t label : reading->labels) rows->push_back(start + label);
    for (const LabelGroup& group : reading->groups)
      rows->push_back(start + group.prompt);
    AddWordRows(pooling, *reading, start, rows);
  }
}

void PoolWords(WordPooling pooling, const WordReading& reading,
               const TokenStates& states, float* words) {
  const size_t width = states.width;
  for (size_t w = 0; w < reading.word_begins.size(); ++w) {
    const uint32_t begin = reading.word_begins[w];
    const uint32_t end = reading.word_ends[w];
    float* word = words + w * width;
    if (begin == end) {
      std::fill_n(word, width, 0.0f);
      continue;
    }
    const bool last = pooling == WordPooling::kLast;
    std::copy_n(states.of(last ? end - 1 : begin), width, word);
    if (last || pooling == WordPooling::kFirst) continue;
    const bool mean = pooling == WordPooling::kMean;
    for (uint32_t t = begin + 1; t < end; ++t) {
      const float* token = states.of(t);
      for (size_t i = 0; i < width; ++i) {
        word[i] = mean ? word[i] + token[i] : std::max(word[i], token[i]);
      }
    }
    if (!mean) continue;
    for (size_t i = 0; i < width; ++i) {
      word[i] /= static_cast<float>(end - begin);
    }
  }
}

}  // namespace deberta::model
