// Who is next: the one order of everything that waits, in all queues.

#ifndef SERVER_BATCHING_RANK_H_
#define SERVER_BATCHING_RANK_H_

#include <cstdint>
#include <tuple>

#include "absl/time/time.h"
#include "server/batching/job.h"

namespace deberta::server {

// Before it counts as one priority higher, a job waits this long, and no other
// of its caller and priority is served: a flood does not age.
inline constexpr absl::Duration kAgeing = absl::Seconds(10);
// So long a call's next round lets others of its priority pass.
inline constexpr absl::Duration kPatience = absl::Seconds(1);
// Callers whose turns are no further apart are equals. Machine seconds.
inline constexpr double kTurnSeconds = 0.01;

// The smaller goes first: by priority, then by the callers' shares; among
// equals the earlier deadline, and then who came first.
struct Rank {
  int level = 0;     // even for a priority, one more for a round that can wait
  int64_t turn = 0;  // of the caller, in units of kTurnSeconds
  absl::Time deadline;
  absl::Time arrival;
  uint64_t order = 0;  // of arrival, in its queue

  friend bool operator<(const Rank& a, const Rank& b) {
    return std::tie(a.level, a.turn, a.deadline, a.arrival, a.order) <
           std::tie(b.level, b.turn, b.deadline, b.arrival, b.order);
  }
};

// The level, at `now`, of a job that came at `arrival`, and of whose caller and
// priority one was served at `served_at`.
int LevelOf(Priority priority, bool continues, absl::Time arrival,
            absl::Time served_at, absl::Time now);
inline int64_t TurnUnits(double turn) {
  return static_cast<int64_t>(turn / kTurnSeconds);
}

}  // namespace deberta::server

#endif  // SERVER_BATCHING_RANK_H_
