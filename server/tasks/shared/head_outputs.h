// What the columns of a classifier's logits mean: one set of labels, or several
// side by side, and numbers that are made of their scores.

#ifndef SERVER_TASKS_SHARED_HEAD_OUTPUTS_H_
#define SERVER_TASKS_SHARED_HEAD_OUTPUTS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace deberta::server {

// How logits become scores.
enum class ScoreFunction { kSoftmax, kSigmoid, kNone };

// A sum that is rounded as the publisher's code does; half to even, as Python.
struct Rounding {
  std::optional<int> decimals = {};
  double zero_below = 0;  // after rounding
};
double Rounded(double value, const Rounding& rounding);

// The sum of weights x scores, over `divisor`.
struct WeightedScore {
  std::vector<double> weights = {};  // one a column
  double divisor = 1;
  Rounding rounding = {};
};

struct HeadOutput {
  std::string name = {};
  size_t first = 0;  // of its columns
  size_t columns = 0;
  ScoreFunction function = ScoreFunction::kSoftmax;
  std::optional<WeightedScore> score = {};
};

// A number of its own: the sum of weights x other outputs' numbers.
struct CombinedScore {
  std::string name = {};
  std::vector<std::pair<size_t, double>> of =
      {};  // index of the output, weight
  Rounding rounding = {};
};

struct HeadOutputs {
  std::vector<HeadOutput> outputs = {};
  std::vector<CombinedScore> scores = {};
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_HEAD_OUTPUTS_H_
