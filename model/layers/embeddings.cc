#include "model/layers/embeddings.h"

#include <algorithm>
#include <span>

namespace deberta::model {
namespace {

constexpr size_t kTokensPerTask = 16;

void AddRow(std::span<const float> table, size_t row, std::span<float> to) {
  const float* from = table.data() + row * to.size();
  for (size_t i = 0; i < to.size(); ++i) to[i] += from[i];
}

// Place of each token in its sequence.
std::vector<size_t> Positions(const RaggedBatch& batch) {
  std::vector<size_t> positions(batch.tokens());
  for (size_t s = 0; s < batch.sequences(); ++s) {
    for (size_t t = batch.starts[s]; t < batch.starts[s + 1]; ++t) {
      positions[t] = t - batch.starts[s];
    }
  }
  return positions;
}

}  // namespace

void Embeddings::Forward(const RaggedBatch& batch, float* hidden,
                         Workspace& workspace) const {
  const auto width = static_cast<size_t>(words->shape[1]);
  const size_t tokens = batch.tokens();
  const std::vector<size_t> place =
      positions.empty() ? std::vector<size_t>() : Positions(batch);
  float* sums =
      proj.has_value()
          ? workspace.dense.Reserve(Linear::PaddedRows(tokens) * width)
          : hidden;
  workspace.pool().ParallelForRanges(
      tokens, kTokensPerTask, [&](size_t begin, size_t end, int) {
        for (size_t t = begin; t < end; ++t) {
          const std::span<float> row(sums + t * width, width);
          ReadFloats(*words, static_cast<size_t>(batch.ids[t]) * width, row);
          if (!positions.empty()) AddRow(positions, place[t], row);
          if (!types.empty()) {
            AddRow(types, static_cast<size_t>(batch.type_ids[t]), row);
          }
        }
      });
  if (proj.has_value()) proj->Forward(sums, tokens, hidden, workspace);
  norm.Forward(hidden, nullptr, tokens, hidden, workspace.pool());
}

size_t Embeddings::bytes() const {
  return (positions.size() + types.size()) * sizeof(float) + norm.bytes() +
         (proj.has_value() ? proj->bytes() : 0);
}

}  // namespace deberta::model
