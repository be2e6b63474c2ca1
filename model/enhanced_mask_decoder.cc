#include "model/enhanced_mask_decoder.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/layers/attention.h"
#include "model/layers/linear.h"

namespace deberta::model {
namespace {

constexpr int kSteps = 2;

}  // namespace

EnhancedMaskDecoder::EnhancedMaskDecoder(std::vector<float> positions,
                                         size_t width)
    : positions_(std::move(positions)), width_(width) {}

absl::Status EnhancedMaskDecoder::Check(const RaggedBatch& batch) const {
  const size_t limit = positions_.size() / width_;
  for (const uint32_t row : batch.logit_rows) {
    const size_t s = batch.SequenceOf(row);
    const uint32_t length = batch.starts[s + 1] - batch.starts[s];
    if (length <= limit) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "batch: sequence ", s, " has ", length,
        " tokens; the enhanced mask decoder has positions for ", limit));
  }
  return absl::OkStatus();
}

void EnhancedMaskDecoder::Start(const RaggedBatch& batch,
                                std::span<const uint32_t> rows,
                                const float* hidden,
                                Workspace& workspace) const {
  float* to =
      workspace.query_states.Reserve(Linear::PaddedRows(rows.size()) * width_);
  for (const uint32_t row : rows) {
    const float* from = hidden + row * width_;
    const float* position =
        positions_.data() +
        (row - batch.starts[batch.SequenceOf(row)]) * width_;
    to = std::transform(from, from + width_, position, to, std::plus<>());
  }
}

void EnhancedMaskDecoder::Finish(const RaggedBatch& batch,
                                 std::span<const uint32_t> rows,
                                 const EncoderLayer& last,
                                 Workspace& workspace) const {
  const AttentionPlan plan = AttentionPlan::Only(batch.starts, rows);
  float* states = workspace.query_states.get();
  for (int step = 0; step < kSteps; ++step) {
    // Keys and values stay those of h^{N-1}.
    last.ForwardQueries(states, rows, plan, workspace);
  }
}

}  // namespace deberta::model
