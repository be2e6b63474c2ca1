// What networks over words and labels have in common.

#ifndef MODEL_LABEL_PARTS_H_
#define MODEL_LABEL_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/gliner_config.h"
#include "model/layers/linear.h"
#include "model/layers/lstm.h"
#include "model/runtime/batch.h"
#include "model/runtime/workspace.h"
#include "model/weight_reader.h"
#include "model/weights/label_weights.h"

namespace deberta::model {

// Two linear layers with an activation between them.
class Mlp {
 public:
  static absl::StatusOr<Mlp> Load(const MlpWeights& weights,
                                  Activation activation, WeightReader& reader);

  // x [Linear::PaddedRows(rows), in] -> y [Linear::PaddedRows(rows), out()],
  // which do not overlap. Takes workspace.intermediate.
  void Forward(const float* x, size_t rows, float* y,
               Workspace& workspace) const;

  size_t out() const { return second_.out(); }
  size_t bytes() const { return first_.bytes() + second_.bytes(); }

 private:
  Mlp(Linear first, Linear second)
      : first_(std::move(first)), second_(std::move(second)) {}

  Linear first_;
  Linear second_;
};

absl::StatusOr<BidirectionalLstm> LoadLstm(
    const BidirectionalLstmWeights& weights, WeightReader& reader);

// Rows to reserve of those that products read of any one text's, wherever they
// begin among `rows`.
size_t RowsReserved(size_t rows);

// Null where nothing is read of the sequence.
const WordReading* ReadingOf(const RaggedBatch& batch, size_t sequence);

// Rows of one sequence's tokens, from `start` of the batch on.
struct TokenStates {
  std::span<const uint32_t> rows;  // see PlaceOf()
  uint32_t start = 0;
  const float* values = nullptr;
  size_t width = 0;

  const float* of(uint32_t token) const;
};

// Adds the rows of every reading's labels, of its groups' prompts, and those
// that PoolWords() reads.
void AddReadingRows(WordPooling pooling, const RaggedBatch& batch,
                    std::vector<uint32_t>* rows);
// -> words [words, width], of zeros where one has no token.
void PoolWords(WordPooling pooling, const WordReading& reading,
               const TokenStates& states, float* words);

}  // namespace deberta::model

#endif  // MODEL_LABEL_PARTS_H_
