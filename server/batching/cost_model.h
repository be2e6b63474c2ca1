// How long a model takes for a sequence: predicted from its length.
//
// In machine seconds: of all the server's threads. A batch that has half the
// machine takes twice as long by the clock.

#ifndef SERVER_BATCHING_COST_MODEL_H_
#define SERVER_BATCHING_COST_MODEL_H_

#include <cstddef>
#include <span>

#include "server/tasks/shared/task.h"

namespace deberta::server {

class CostModel {
 public:
  // One sequence of so many tokens took so many machine seconds, alone.
  struct Sample {
    size_t tokens = 0;
    double seconds = 0;
  };

  // Predicts 0 for everything.
  CostModel() = default;
  // Through at most three samples of different lengths, ascending: a time for
  // each batch, one for each token, and one for each pair of tokens, which
  // attention takes. None is below 0.
  static CostModel Through(std::span<const Sample> samples);

  bool known() const { return per_token_ > 0; }

  // What the sequence adds to a batch.
  double Seconds(const SequenceInput& sequence) const {
    return Seconds(sequence.ids.size(), sequence.head_tokens);
  }
  double Seconds(size_t tokens, size_t head_tokens) const;
  // Of sequences that are not known one by one, as if each were short.
  double SecondsOfTokens(size_t tokens) const {
    return scale_ * per_token_ * static_cast<double>(tokens);
  }
  // What a batch takes beside its sequences.
  double SecondsOfBatch() const { return scale_ * per_batch_; }

  // A batch that was predicted to take `predicted` seconds took `taken`.
  void Correct(double predicted, double taken);
  // The machine takes so many times as long as before, for everything.
  void Slow(double times);
  // Something was refused that nothing else stood in the way of: if the
  // correction was wrong, it must not stay so.
  void Doubt();

 private:
  double per_batch_ = 0;
  double per_token_ = 0;
  double per_pair_ = 0;
  // How much slower the machine is than when the samples were taken.
  double scale_ = 1;
};

}  // namespace deberta::server

#endif  // SERVER_BATCHING_COST_MODEL_H_
