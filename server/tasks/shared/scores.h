// Logits to scores, and the best of them.

#ifndef SERVER_TASKS_SHARED_SCORES_H_
#define SERVER_TASKS_SHARED_SCORES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace deberta::server {

// values[i] = exp(values[i] - max) / sum_j exp(values[j] - max). Without a
// greatest finite value (NaN or +inf among them, or nothing but -inf) there is
// no softmax, and every score is NaN.
void Softmax(std::span<float> values);

// 1 / (1 + exp(-x)), without overflow on either side.
float Sigmoid(float x);

// Index of the greatest value, the first among equals; NaN counts as -inf.
// REQUIRES: `values` is not empty.
size_t ArgMax(std::span<const float> values);

// Indices of the `count` greatest values (of all, if there are fewer), best
// first; among equals the lower index first; NaN counts as -inf.
std::vector<uint32_t> TopIndices(std::span<const float> values, size_t count);

// The unweighted mean of the logits of windows, whose sums are in double; of a
// single window, its logits themselves.
class LogitMean {
 public:
  // REQUIRES: the widths of all are the same.
  void Add(std::span<const float> logits);
  // The mean of what was added since the last time.
  // REQUIRES: something was.
  std::vector<float> Take();

 private:
  std::vector<float> first_;
  std::vector<double> sums_;
  size_t count_ = 0;
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_SCORES_H_
