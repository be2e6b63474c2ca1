// The only batch there is: sequences laid end to end, no padding, no masks.

#ifndef MODEL_RUNTIME_BATCH_H_
#define MODEL_RUNTIME_BATCH_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace deberta::model {

// Labels that belong together, of a head that reads several such groups.
struct LabelGroup {
  uint32_t prompt = 0;  // the token read for all of them
  uint32_t labels = 0;  // how many of the reading's, after those before
  // Of what the labels find, 0: they are classes of the text.
  uint32_t most_instances = 0;

  friend bool operator==(const LabelGroup&, const LabelGroup&) = default;
};

// Which tokens of a sequence a head over words and labels reads; see
// LabelHeadKind for what it gives.
struct WordReading {
  // [words], ascending: the tokens of word w, [word_begins[w], word_ends[w]);
  // equal: it has none, and is read as zeros.
  std::vector<uint32_t> word_begins = {};
  std::vector<uint32_t> word_ends = {};
  // [labels], ascending: the token read for each label.
  std::vector<uint32_t> labels = {};
  // [labels], LabelHead::averages_labels only: the end of the tokens whose mean
  // is read, from the label's on.
  std::vector<uint32_t> label_ends = {};
  // kGroups only.
  std::vector<LabelGroup> groups = {};
  // [labels], kTokensAndSpans only: scores above which the parts of a span, and
  // spans, count.
  std::vector<float> thresholds = {};

  friend bool operator==(const WordReading&, const WordReading&) = default;
};

struct RaggedBatch {
  std::vector<int32_t> ids;       // [tokens]
  std::vector<int32_t> type_ids;  // [tokens]; read iff type_vocab_size > 0
  // [sequences + 1], ascending from 0 to tokens: sequence s is the rows
  // [starts[s], starts[s + 1]).
  std::vector<uint32_t> starts = {0};
  // Rows whose head logits are wanted, in the order of the output. Sequence
  // classification reads row starts[s], fill-mask the masked rows, tagging and
  // question answering every row.
  std::vector<uint32_t> logit_rows;
  // Rows whose hidden states are wanted.
  std::vector<uint32_t> hidden_rows;
  // [sequences, or fewer]: what the head over words and labels reads of each;
  // where it is null, and of the sequences past its end, nothing.
  std::vector<std::shared_ptr<const WordReading>> readings;
  // Of each of these, the layer after which it is wanted, 0 being the
  // embeddings, or kLastLayer; empty: all after the last.
  static constexpr uint32_t kLastLayer = 0xFFFFFFFF;
  std::vector<uint32_t> hidden_layers;

  size_t tokens() const { return ids.size(); }
  size_t sequences() const { return starts.size() - 1; }
  // The sequence that row `row` belongs to. REQUIRES: row < tokens().
  size_t SequenceOf(uint32_t row) const {
    return static_cast<size_t>(
        std::upper_bound(starts.begin(), starts.end(), row) - starts.begin() -
        1);
  }
};

struct BatchOutput {
  std::vector<float> logits;  // [logit_rows, logit_width]
  size_t logit_width = 0;
  std::vector<float> hidden;  // [hidden_rows, hidden_width]
  size_t hidden_width = 0;
  // [RaggedBatch::readings], each as LabelHeadKind says; empty where that is
  // null.
  std::vector<std::vector<float>> word_logits;
};

// The sequences `kept` of the batch, ascending, and the rows wanted of them.
RaggedBatch KeepSequences(const RaggedBatch& batch,
                          std::span<const size_t> kept);

// Indices into `rows`, of the batch, of those that are of sequences `kept`.
std::vector<size_t> KeptRows(const RaggedBatch& batch,
                             std::span<const uint32_t> rows,
                             std::span<const size_t> kept);

// Makes the output of KeepSequences(batch, kept) one of `batch`, in which the
// rows of other sequences are 0.
void SpreadOutput(const RaggedBatch& batch, std::span<const size_t> kept,
                  BatchOutput* output);

}  // namespace deberta::model

#endif  // MODEL_RUNTIME_BATCH_H_
