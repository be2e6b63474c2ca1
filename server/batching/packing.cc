#include "server/batching/packing.h"

#include <cstddef>
#include <cstdint>

namespace deberta::server {
namespace {

const SequenceInput& InputOf(const Batch::Entry& entry) {
  return entry.job->job.sequences[entry.sequence];
}

}  // namespace

void AppendSequence(const SequenceInput& input, model::RaggedBatch* packed) {
  const uint32_t first = packed->starts.back();
  packed->ids.insert(packed->ids.end(), input.ids.begin(), input.ids.end());
  packed->type_ids.insert(packed->type_ids.end(), input.type_ids.begin(),
                          input.type_ids.end());
  packed->starts.push_back(static_cast<uint32_t>(packed->ids.size()));
  std::vector<uint32_t>& rows = input.readout == Readout::kHeadLogits
                                    ? packed->logit_rows
                                    : packed->hidden_rows;
  for (const uint32_t row : input.rows) rows.push_back(first + row);
}

model::RaggedBatch Pack(const Batch& batch) {
  model::RaggedBatch packed;
  packed.ids.reserve(batch.tokens);
  packed.type_ids.reserve(batch.tokens);
  for (const Batch::Entry& entry : batch.entries)
    AppendSequence(InputOf(entry), &packed);
  return packed;
}

std::vector<SequenceOutput> Unpack(const Batch& batch,
                                   const model::BatchOutput& output) {
  std::vector<SequenceOutput> results;
  results.reserve(batch.entries.size());
  auto logits = output.logits.begin();
  auto hidden = output.hidden.begin();
  for (const Batch::Entry& entry : batch.entries) {
    const SequenceInput& input = InputOf(entry);
    const bool head = input.readout == Readout::kHeadLogits;
    const size_t width = head ? output.logit_width : output.hidden_width;
    auto& next = head ? logits : hidden;
    const auto end =
        next + static_cast<std::ptrdiff_t>(input.rows.size() * width);
    results.push_back({.values = {next, end}, .width = width});
    next = end;
  }
  return results;
}

}  // namespace deberta::server
