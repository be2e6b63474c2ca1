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
  for (const Batch::Entry& entry : batch.entries) {
    const SequenceInput& input = InputOf(entry);
    if (entry.input == ragged.sequences()) AppendIds(input, &ragged);
    ReadRows& read = input.readout == Readout::kHeadLogits ? logits : hidden;
    std::vector<uint32_t> places;
    places.reserve(input.rows.size());
    for (const uint32_t row : input.rows) {
      places.push_back(read.Place(ragged.starts[entry.input] + row));
    }
    packed.places.push_back(std::move(places));
  }
  return packed;
}

std::vector<SequenceOutput> Unpack(const Batch& batch,
                                   const PackedBatch& packed,
                                   const model::BatchOutput& output) {
  std::vector<SequenceOutput> results;
  results.reserve(batch.entries.size());
  for (size_t e = 0; e < batch.entries.size(); ++e) {
    const bool head = InputOf(batch.entries[e]).readout == Readout::kHeadLogits;
    const size_t width = head ? output.logit_width : output.hidden_width;
    const std::vector<float>& from = head ? output.logits : output.hidden;
    SequenceOutput result = {.width = width};
    result.values.reserve(packed.places[e].size() * width);
    for (const uint32_t place : packed.places[e]) {
      const auto row =
          from.begin() + static_cast<std::ptrdiff_t>(place * width);
      result.values.insert(result.values.end(), row,
                           row + static_cast<std::ptrdiff_t>(width));
    }
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace deberta::server
