// Which row of the relative embeddings stands for the offset between a query
// and a key (He et al. 2021, equation 3; DeBERTa-v2's logarithmic buckets as
// the reference implementation computes them, spec 2.4).

#ifndef MODEL_LAYERS_RELATIVE_POSITION_H_
#define MODEL_LAYERS_RELATIVE_POSITION_H_

#include <cstdint>

#include "model/checkpoint/config.h"

namespace deberta::model {

class RelativePosition {
 public:
  // `buckets` <= 0: linear offsets. REQUIRES: max_relative_positions >= 1, and
  // max_relative_positions - 1 > buckets / 2.
  RelativePosition(int64_t max_relative_positions, int64_t buckets);
  explicit RelativePosition(const Config& config);

  // Position bucket of `offset` = query - key; odd in it.
  int64_t Bucket(int64_t offset) const;

  // Row of rel_embeddings, in [0, 2 span): clamp(bucket + span).
  int64_t Row(int64_t offset) const;

  // S.
  int64_t span() const { return span_; }

  // How far a table by offset must reach.
  struct Reach {
    // The least D so that all offsets >= D share a row and all <= -D share one.
    // With few and odd buckets rows go on changing for very long: then it is
    // 8 R or the model's own sequence limit, whichever is more. Whatever a
    // configuration says, a few buckets reach 2^14 at most.
    int64_t offset = 0;
    bool saturated = true;  // not so then
  };
  Reach FindReach() const;

 private:
  RelativePosition(int64_t max_relative_positions, int64_t buckets,
                   int64_t sequence_limit);

  int64_t max_relative_positions_;  // R
  int64_t buckets_;
  int64_t span_;
  int64_t farthest_;  // a reach may be
};

}  // namespace deberta::model

#endif  // MODEL_LAYERS_RELATIVE_POSITION_H_
