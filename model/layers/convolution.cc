#include "model/layers/convolution.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace deberta::model {
namespace {

// Tokens whose neighbours are laid out at a time.
constexpr size_t kPassRows = 1024;

// Rows [first, first + rows) of x with their neighbours side by side.
void GatherNeighbours(const float* x, std::span<const uint32_t> sequence_of,
                      size_t first, size_t rows, size_t kernel, size_t hidden,
                      float* to, ThreadPool& pool) {
  const size_t before = (kernel - 1) / 2;
  const size_t tokens = sequence_of.size();
  pool.ParallelForRanges(rows, 16, [&](size_t begin, size_t end, int) {
    for (size_t r = begin; r < end; ++r) {
      const size_t token = first + r;
      for (size_t t = 0; t < kernel; ++t) {
        float* out = to + (r * kernel + t) * hidden;
        // `token + t - before` may wrap below zero: then it is >= tokens.
        const size_t neighbour = token + t - before;
        if (neighbour < tokens &&
            sequence_of[neighbour] == sequence_of[token]) {
          std::copy_n(x + neighbour * hidden, hidden, out);
        } else {
          std::fill_n(out, hidden, 0.0f);
        }
      }
    }
  });
}

}  // namespace

Linear::Source Convolution::Rows(std::span<const float> weight,
                                 std::vector<float> bias, size_t hidden,
                                 size_t groups, size_t kernel,
                                 Activation activation) {
  const size_t group = hidden / groups;
  return {.out = hidden,
          .in = kernel * hidden,
          .read_row =
              [=](size_t row, std::span<float> values) {
                std::fill(values.begin(), values.end(), 0.0f);
                const size_t first = row / group * group;
                for (size_t c = 0; c < group; ++c) {
                  for (size_t t = 0; t < kernel; ++t) {
                    values[t * hidden + first + c] =
                        weight[(row * group + c) * kernel + t];
                  }
                }
              },
          .bias = std::move(bias),
          .activation = activation};
}

void Convolution::Forward(const float* x, std::span<const uint32_t> starts,
                          float* y, Workspace& workspace) const {
  const size_t hidden = linear.out();
  const size_t tokens = starts.back();
  std::vector<uint32_t> sequence_of(tokens);
  for (uint32_t s = 0; s + 1 < starts.size(); ++s) {
    std::fill(sequence_of.begin() + starts[s],
              sequence_of.begin() + starts[s + 1], s);
  }
  for (size_t first = 0; first < tokens; first += kPassRows) {
    const size_t rows = std::min(kPassRows, tokens - first);
    float* neighbours = workspace.intermediate.Reserve(
        Linear::PaddedRows(rows) * kernel * hidden);
    GatherNeighbours(x, sequence_of, first, rows, kernel, hidden, neighbours,
                     workspace.pool());
    linear.Forward(neighbours, rows, y + first * hidden, workspace);
  }
}

}  // namespace deberta::model
