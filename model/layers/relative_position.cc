#include "model/layers/relative_position.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace deberta::model {

namespace {

// Tables take memory by their reach, which buckets let a tiny file claim.
constexpr int64_t kFarthest = int64_t{1} << 14;

}  // namespace

RelativePosition::RelativePosition(int64_t max_relative_positions,
                                   int64_t buckets)
    : RelativePosition(max_relative_positions, buckets, 0) {}

RelativePosition::RelativePosition(const Config& config)
    : RelativePosition(
          config.max_relative_positions,
          config.family == Family::kDebertaV2 ? config.position_buckets : -1,
          config.max_position_embeddings) {}

RelativePosition::RelativePosition(int64_t max_relative_positions,
                                   int64_t buckets, int64_t sequence_limit)
    : max_relative_positions_(max_relative_positions),
      buckets_(buckets),
      span_(buckets > 0 ? buckets : max_relative_positions),
      farthest_(std::max(
          span_, std::min(std::max(8 * max_relative_positions, sequence_limit),
                          kFarthest))) {}

int64_t RelativePosition::Bucket(int64_t offset) const {
  if (buckets_ <= 0) return offset;
  const int64_t mid = buckets_ / 2;
  const int64_t distance = std::abs(offset);
  if (distance <= mid) return offset;
  const auto middle = static_cast<float>(mid);
  const float position =
      std::log(static_cast<float>(distance) / middle) /
      std::log(static_cast<float>(max_relative_positions_ - 1) / middle) *
      (middle - 1);
  const int64_t bucket = static_cast<int64_t>(std::ceil(position)) + mid;
  return offset < 0 ? -bucket : bucket;
}

int64_t RelativePosition::Row(int64_t offset) const {
  return std::clamp<int64_t>(Bucket(offset) + span_, 0, 2 * span_ - 1);
}

RelativePosition::Reach RelativePosition::FindReach() const {
  // Rows grow with the offset, so they have stopped once they are the outermost
  // or, with a single middle bucket, do not grow at all.
  constexpr int64_t kFar = int64_t{1} << 40;
  for (int64_t offset = 1; offset <= farthest_; ++offset) {
    if (Row(offset) == Row(kFar) && Row(-offset) == Row(-kFar)) {
      return {offset, true};
    }
  }
  return {farthest_, false};
}

}  // namespace deberta::model
