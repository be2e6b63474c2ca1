#include "server/batching/rank.h"

#include <algorithm>

namespace deberta::server {

int LevelOf(Priority priority, bool continues, absl::Time arrival,
            absl::Time now) {
  const absl::Duration waited = now - arrival;
  const int can_wait = continues && waited < kPatience ? 1 : 0;
  const auto aged = static_cast<int>(
      std::clamp<int64_t>(waited / kAgeing, 0, static_cast<int>(priority)));
  return 2 * (static_cast<int>(priority) - aged) + can_wait;
}

}  // namespace deberta::server
