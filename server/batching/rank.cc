#include "server/batching/rank.h"

#include <algorithm>

namespace deberta::server {

int LevelOf(Priority priority, bool continues, absl::Time arrival,
            absl::Time served_at, absl::Time now) {
  const int can_wait = continues && now - arrival < kPatience ? 1 : 0;
  const absl::Duration waited = now - std::max(arrival, served_at);
  const auto aged = static_cast<int>(
      std::clamp<int64_t>(waited / kAgeing, 0, static_cast<int>(priority)));
  return 2 * (static_cast<int>(priority) - aged) + can_wait;
}

}  // namespace deberta::server
