// The batches that deberta-bench runs.

#ifndef TOOLS_BENCH_SHAPE_H_
#define TOOLS_BENCH_SHAPE_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/model.h"
#include "model/runtime/batch.h"

namespace deberta::tools {

// Lengths of the sequences of one batch; never empty.
using Shape = std::vector<size_t>;

// Parses "1x16,8x128,lengths:12+80+7": BATCHxLENGTH, or the lengths themselves.
// InvalidArgument quotes the shape that is wrong. At most 2^20 tokens each.
absl::StatusOr<std::vector<Shape>> ParseShapes(std::string_view text);

size_t Tokens(const Shape& shape);

// Random ids, the same in every run: with splitmix64 from state 0,
// id[i] = output i modulo the vocabulary's size, sequences end to end. Types
// are 0. The rows read are those that serving reads: the first of each sequence
// for classification, one mask (the middle) for a masked language model, all
// for tagging and question answering; without a head the first hidden state.
model::RaggedBatch MakeBatch(const Shape& shape, const model::Model& model);

}  // namespace deberta::tools

#endif  // TOOLS_BENCH_SHAPE_H_
