#include "server/batching/prediction.h"

#include <algorithm>

#include "server/batching/rank.h"

namespace deberta::server {

double SecondsAhead(std::span<const JobQueue> queues, const Newcomer& newcomer,
                    absl::Time now, uint64_t number) {
  double ahead = 0;
  double own = 0;
  for (const JobQueue& queue : queues) {
    for (const JobQueue::Waiting& waiting : queue.waiting()) {
      const int level = waiting.LevelAt(now);
      if (level > newcomer.level) continue;
      if (level < newcomer.level) {
        ahead += waiting.seconds;
      } else if (waiting.account == newcomer.account) {
        if (waiting.deadline <= newcomer.deadline) own += waiting.seconds;
      } else {
        CallerShares::Account& account = *waiting.account;
        if (account.counted != number) account.backlog = 0;
        account.counted = number;
        account.backlog += waiting.seconds;
      }
    }
  }
  const double served = newcomer.turn + own + newcomer.seconds + kTurnSeconds;
  for (const JobQueue& queue : queues) {
    for (const JobQueue::Waiting& waiting : queue.waiting()) {
      CallerShares::Account& account = *waiting.account;
      if (account.counted != number) continue;
      account.counted = 0;
      ahead += std::clamp(served - account.turn, 0.0, account.backlog);
    }
  }
  return ahead + own;
}

}  // namespace deberta::server
