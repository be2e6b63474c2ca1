#include "server/batching/packing.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

namespace deberta::server {
namespace {

constexpr uint32_t kNowhere = std::numeric_limits<uint32_t>::max();

const SequenceInput& InputOf(const Batch::Entry& entry) {
  return entry.job->job.sequences[entry.sequence];
}

void AppendIds(const SequenceInput& input, model::RaggedBatch* packed) {
  packed->ids.insert(packed->ids.end(), input.ids.begin(), input.ids.end());
  packed->type_ids.insert(packed->type_ids.end(), input.type_ids.begin(),
                          input.type_ids.end());
  packed->starts.push_back(static_cast<uint32_t>(packed->ids.size()));
  if (input.readout != Readout::kWordLogits) return;
  packed->readings.resize(packed->sequences());
  packed->readings.back() = input.reading;
}

// Rows that are read of the output, and where each stands in it.
class ReadRows {
 public:
  ReadRows(size_t tokens, std::vector<uint32_t>* rows)
      : places_(tokens, kNowhere), rows_(*rows) {}

  uint32_t Place(uint32_t row) {
    uint32_t& place = places_[row];
    if (place == kNowhere) {
      place = static_cast<uint32_t>(rows_.size());
      rows_.push_back(row);
    }
    return place;
  }

 private:
  std::vector<uint32_t> places_;  // [tokens]
  std::vector<uint32_t>& rows_;
};

}  // namespace

void AppendSequence(const SequenceInput& input, model::RaggedBatch* packed) {
  const uint32_t first = packed->starts.back();
  AppendIds(input, packed);
  std::vector<uint32_t>& rows = input.readout == Readout::kHeadLogits
                                    ? packed->logit_rows
                                    : packed->hidden_rows;
  for (const uint32_t row : input.rows) rows.push_back(first + row);
}

PackedBatch Pack(const Batch& batch) {
  PackedBatch packed;
  model::RaggedBatch& ragged = packed.batch;
  ragged.ids.reserve(batch.tokens);
  ragged.type_ids.reserve(batch.tokens);
  ReadRows logits(batch.tokens, &ragged.logit_rows);
  ReadRows hidden(batch.tokens, &ragged.hidden_rows);
  const bool layered = std::ranges::any_of(
      batch.entries,
      [](const Batch::Entry& entry) { return !InputOf(entry).layers.empty(); });
  for (const Batch::Entry& entry : batch.entries) {
    const SequenceInput& input = InputOf(entry);
    if (entry.input == ragged.sequences()) AppendIds(input, &ragged);
    ReadRows& read = input.readout == Readout::kHeadLogits ? logits : hidden;
    std::vector<uint32_t> places;
    places.reserve(input.rows.size());
    for (const uint32_t row : input.rows) {
      const uint32_t place = ragged.starts[entry.input] + row;
      if (input.layers.empty()) places.push_back(read.Place(place));
      for (const uint32_t layer : input.layers) {
        places.push_back(static_cast<uint32_t>(ragged.hidden_rows.size()));
        ragged.hidden_rows.push_back(place);
        ragged.hidden_layers.push_back(layer);
      }
    }
    if (layered) {
      ragged.hidden_layers.resize(ragged.hidden_rows.size(),
                                  model::RaggedBatch::kLastLayer);
    }
    packed.places.push_back(std::move(places));
  }
  return packed;
}

Unpacker::Unpacker(const Batch& batch, const PackedBatch& packed)
    : batch_(batch), packed_(packed), outputs_(batch.entries.size()) {
  const auto keeps_best = [](const Batch::Entry& entry) {
    return InputOf(entry).best != nullptr;
  };
  if (std::ranges::none_of(batch.entries, keeps_best)) return;
  readers_.resize(packed.batch.logit_rows.size());
  whole_rows_.resize(packed.batch.logit_rows.size());
  for (size_t e = 0; e < batch.entries.size(); ++e) {
    const SequenceInput& input = InputOf(batch.entries[e]);
    if (input.readout != Readout::kHeadLogits) continue;
    for (size_t row = 0; row < input.rows.size(); ++row) {
      readers_[packed.places[e][row]].push_back({.entry = e, .row = row});
    }
    if (input.best == nullptr) continue;
    const size_t values = input.rows.size() * input.best->count;
    outputs_[e] = {.values = std::vector<float>(values),
                   .width = input.best->count,
                   .columns = std::vector<int32_t>(values)};
  }
}

model::LogitConsumer Unpacker::take_logits() {
  if (readers_.empty()) return nullptr;
  return [this](size_t place, std::span<const float> logits) {
    TakeRow(place, logits);
  };
}

void Unpacker::TakeRow(size_t place, std::span<const float> logits) {
  std::vector<float> scratch;
  for (const auto& [e, row] : readers_[place]) {
    const BestColumns* best = InputOf(batch_.entries[e]).best.get();
    if (best == nullptr) {
      whole_rows_[place].assign(logits.begin(), logits.end());
      continue;
    }
    const size_t first = row * best->count;
    best->Take(
        logits, std::span(outputs_[e].columns).subspan(first, best->count),
        std::span(outputs_[e].values).subspan(first, best->count), &scratch);
  }
}

std::span<const float> Unpacker::RowAt(size_t place, bool head,
                                       const model::BatchOutput& output) const {
  if (head && !readers_.empty()) return whole_rows_[place];
  const size_t width = head ? output.logit_width : output.hidden_width;
  return std::span(head ? output.logits : output.hidden)
      .subspan(place * width, width);
}

std::vector<SequenceOutput> Unpacker::Finish(const model::BatchOutput& output) {
  for (size_t e = 0; e < batch_.entries.size(); ++e) {
    const SequenceInput& input = InputOf(batch_.entries[e]);
    if (input.best != nullptr) continue;
    const bool head = input.readout == Readout::kHeadLogits;
    const std::vector<uint32_t>& places = packed_.places[e];
    SequenceOutput& result = outputs_[e];
    if (input.readout == Readout::kWordLogits) {
      result.values = output.word_logits.at(batch_.entries[e].input);
      result.width = result.values.size();
      continue;
    }
    for (const uint32_t place : places) {
      const std::span<const float> row = RowAt(place, head, output);
      result.width = row.size();
      result.values.reserve(places.size() * result.width);
      result.values.insert(result.values.end(), row.begin(), row.end());
    }
    if (!input.layers.empty()) result.width *= input.layers.size();
  }
  return std::move(outputs_);
}

}  // namespace deberta::server
