// Functions that a model calls while it loads and computes.

#ifndef MODEL_OBSERVERS_H_
#define MODEL_OBSERVERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace deberta::model {

// Called from the loading thread after each tensor is packed.
struct LoadProgress {
  size_t tensors_done = 0;
  size_t tensors_total = 0;
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
};
using LoadObserver = std::function<void(const LoadProgress&)>;

// Sees [tokens, hidden] after the embeddings (layer 0) and after each layer;
// for tests and diagnosis. With an observer every row of every layer is
// computed.
using LayerObserver =
    std::function<void(int64_t layer, std::span<const float> hidden)>;

// Whether somebody still waits for this sequence of the batch. Asked between
// layers, on the thread that runs the batch, until it says no.
using StillWanted = std::function<bool(size_t sequence)>;

// Takes row `row` of a batch's logits, numbered as in RaggedBatch::logit_rows:
// [logit_width], gone when the call returns. Called once for each row, in any
// order, by the threads of the workspace, several at a time. Rows of sequences
// that were given up do not come.
using LogitConsumer =
    std::function<void(size_t row, std::span<const float> logits)>;

// What a batch may be computed with.
struct ForwardOptions {
  LayerObserver observer = nullptr;
  // Sequences are dropped once it says no.
  StillWanted still_wanted = nullptr;
  // Gets the logits, which BatchOutput is then without: they are computed in
  // tiles of rows, each gone before the next.
  LogitConsumer take_logits = nullptr;
  // Floats of a tile, about: at least sixteen rows are computed together.
  size_t tile_floats = size_t{1} << 22;
};

}  // namespace deberta::model

#endif  // MODEL_OBSERVERS_H_
