#include "model/check_batch.h"

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/label_network.h"

namespace deberta::model {
namespace {

// Row numbers are 32 bits wide, also after rounding up.
constexpr size_t kMaxTokens = size_t{1} << 31;

absl::Status CheckStarts(const RaggedBatch& batch, uint64_t longest) {
  const std::vector<uint32_t>& starts = batch.starts;
  if (starts.size() < 2 || starts.front() != 0 ||
      starts.back() != batch.tokens() || batch.tokens() > kMaxTokens) {
    return absl::InvalidArgumentError(absl::StrCat(
        "batch: sequences must cover the tokens from 0 to ", batch.tokens()));
  }
  for (size_t s = 0; s < batch.sequences(); ++s) {
    if (starts[s] >= starts[s + 1]) {
      return absl::InvalidArgumentError(
          absl::StrCat("batch: sequence ", s, " is empty"));
    }
    if (starts[s + 1] - starts[s] > longest) {
      return absl::InvalidArgumentError(absl::StrCat(
          "batch: sequence ", s, " has ", starts[s + 1] - starts[s],
          " tokens; the model takes at most ", longest));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckIds(std::span<const int32_t> ids, int64_t size,
                      std::string_view what) {
  for (size_t t = 0; t < ids.size(); ++t) {
    if (ids[t] < 0 || ids[t] >= size) {
      return absl::InvalidArgumentError(absl::StrCat(
          "batch: ", absl::string_view(what.data(), what.size()), " of token ",
          t, ": expected 0 to ", size - 1, ", got ", ids[t]));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckBatch(const RaggedBatch& batch, const Config& config,
                        uint64_t longest, size_t logit_width,
                        const LabelHead* label_head) {
  absl::Status status = CheckStarts(batch, longest);
  status.Update(CheckIds(batch.ids, config.vocab_size, "id"));
  if (status.ok()) status.Update(CheckReadings(batch, label_head));
  if (config.type_vocab_size > 0) {
    if (batch.type_ids.size() != batch.tokens()) {
      status.Update(absl::InvalidArgumentError(
          absl::StrCat("batch: expected ", batch.tokens(), " type ids, got ",
                       batch.type_ids.size())));
    }
    status.Update(CheckIds(batch.type_ids, config.type_vocab_size, "type id"));
  }
  for (const auto* rows : {&batch.logit_rows, &batch.hidden_rows}) {
    for (const uint32_t row : *rows) {
      if (row < batch.tokens()) continue;
      status.Update(absl::InvalidArgumentError(absl::StrCat(
          "batch: row ", row, " wanted of ", batch.tokens(), " tokens")));
    }
  }
  if (!batch.hidden_layers.empty() &&
      batch.hidden_layers.size() != batch.hidden_rows.size()) {
    status.Update(absl::InvalidArgumentError(
        absl::StrCat("batch: layers wanted of ", batch.hidden_layers.size(),
                     " rows, of ", batch.hidden_rows.size())));
  }
  for (const uint32_t layer : batch.hidden_layers) {
    if (layer == RaggedBatch::kLastLayer || layer <= config.num_hidden_layers)
      continue;
    status.Update(absl::InvalidArgumentError(absl::StrCat(
        "batch: layer ", layer, " wanted of ", config.num_hidden_layers)));
  }
  if (!batch.logit_rows.empty() && logit_width == 0) {
    status.Update(
        absl::InvalidArgumentError("batch: logits wanted of a model "
                                   "without a head"));
  }
  return status;
}

}  // namespace deberta::model
