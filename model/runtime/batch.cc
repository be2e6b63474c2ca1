#include "model/runtime/batch.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace deberta::model {
namespace {

// Where sequence `sequence` stands among `kept`, ascending.
std::optional<size_t> PlaceOf(size_t sequence, std::span<const size_t> kept) {
  const auto found = std::ranges::lower_bound(kept, sequence);
  if (found == kept.end() || *found != sequence) return std::nullopt;
  return static_cast<size_t>(found - kept.begin());
}

std::vector<float> Spread(const RaggedBatch& batch,
                          std::span<const uint32_t> rows,
                          std::span<const size_t> kept, size_t width,
                          const std::vector<float>& values) {
  std::vector<float> spread(rows.size() * width, 0.0f);
  auto from = values.begin();
  for (const size_t row : KeptRows(batch, rows, kept)) {
    std::copy_n(from, width,
                spread.begin() + static_cast<std::ptrdiff_t>(row * width));
    from += static_cast<std::ptrdiff_t>(width);
  }
  return spread;
}

}  // namespace

RaggedBatch KeepSequences(const RaggedBatch& batch,
                          std::span<const size_t> kept) {
  RaggedBatch narrow;
  const auto append = [](const std::vector<int32_t>& from, uint32_t begin,
                         uint32_t end, std::vector<int32_t>& to) {
    if (from.empty()) return;
    to.insert(to.end(), from.begin() + begin, from.begin() + end);
  };
  for (const size_t s : kept) {
    append(batch.ids, batch.starts[s], batch.starts[s + 1], narrow.ids);
    append(batch.type_ids, batch.starts[s], batch.starts[s + 1],
           narrow.type_ids);
    narrow.starts.push_back(static_cast<uint32_t>(narrow.ids.size()));
    if (s >= batch.readings.size()) continue;
    narrow.readings.resize(narrow.sequences());
    narrow.readings.back() = batch.readings[s];
  }
  const auto renumber = [&](const std::vector<uint32_t>& rows,
                            std::vector<uint32_t>& to) {
    for (const uint32_t row : rows) {
      const size_t s = batch.SequenceOf(row);
      if (const std::optional<size_t> place = PlaceOf(s, kept)) {
        to.push_back(row - batch.starts[s] + narrow.starts[*place]);
      }
    }
  };
  renumber(batch.logit_rows, narrow.logit_rows);
  renumber(batch.hidden_rows, narrow.hidden_rows);
  return narrow;
}

std::vector<size_t> KeptRows(const RaggedBatch& batch,
                             std::span<const uint32_t> rows,
                             std::span<const size_t> kept) {
  std::vector<size_t> indices;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (PlaceOf(batch.SequenceOf(rows[i]), kept).has_value()) {
      indices.push_back(i);
    }
  }
  return indices;
}

void SpreadOutput(const RaggedBatch& batch, std::span<const size_t> kept,
                  BatchOutput* output) {
  output->logits = Spread(batch, batch.logit_rows, kept, output->logit_width,
                          output->logits);
  output->hidden = Spread(batch, batch.hidden_rows, kept, output->hidden_width,
                          output->hidden);
  std::vector<std::vector<float>> word_logits(batch.readings.size());
  for (size_t i = 0; i < output->word_logits.size(); ++i) {
    word_logits[kept[i]] = std::move(output->word_logits[i]);
  }
  output->word_logits = std::move(word_logits);
}

}  // namespace deberta::model
