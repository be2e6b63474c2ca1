// A bidirectional LSTM layer over the words of several texts, side by side:
//   z = W_in x + b_in + W_state h + b_state,  [i f g o] = z
//   c = sigmoid(f) c + sigmoid(i) tanh(g),  h = sigmoid(o) tanh(c)
// from zero states, once from each end. A text's result does not depend on the
// others.

#ifndef MODEL_LAYERS_LSTM_H_
#define MODEL_LAYERS_LSTM_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "model/layers/linear.h"
#include "model/runtime/workspace.h"

namespace deberta::model {

class BidirectionalLstm {
 public:
  // One direction as torch has it: gates ordered i, f, g, o.
  struct Direction {
    std::vector<float> input;  // [4 size, in]
    std::vector<float> state;  // [4 size, size]
    std::vector<float> bias;   // [4 size]: the sum of both
  };
  // What is to be packed: of the inputs of both directions, and of the state of
  // each. The directions outlive the source.
  static Linear::Source InputSource(const Direction& forward,
                                    const Direction& backward, size_t size,
                                    size_t in);
  static Linear::Source StateSource(const Direction& direction, size_t size);

  BidirectionalLstm(Linear input, Linear forward, Linear backward, size_t size)
      : input_(std::move(input)),
        forward_(std::move(forward)),
        backward_(std::move(backward)),
        size_(size) {}

  // x [Linear::PaddedRows(rows), in] -> y [rows, 2 size]: forward, backward.
  // Text t has the rows from starts[t] to starts[t + 1]; it may have none.
  // Takes workspace.dense.
  void Forward(const float* x, std::span<const uint32_t> starts, float* y,
               Workspace& workspace) const;

  size_t bytes() const {
    return input_.bytes() + forward_.bytes() + backward_.bytes();
  }

 private:
  // Texts, the longest first, in one direction. `gates` [rows, 8 padded size].
  void Run(std::span<const std::span<const uint32_t>> texts, bool backward,
           const float* gates, float* y, ThreadScratch& scratch) const;

  Linear input_;
  Linear forward_;
  Linear backward_;
  size_t size_;
};

}  // namespace deberta::model

#endif  // MODEL_LAYERS_LSTM_H_
