#include "server/batching/waiters.h"

#include <utility>

namespace deberta::server {

Waiters::Waiters(const Batch& batch)
    : batch_(batch), entries_(batch.inputs), given_up_(batch.entries.size()) {
  for (size_t e = 0; e < batch.entries.size(); ++e) {
    entries_[batch.entries[e].input].push_back(e);
  }
}

bool Waiters::WaitFor(size_t input, absl::Time now) {
  std::vector<absl::Status> reasons;
  for (const size_t e : entries_[input]) {
    reasons.push_back(Gone(batch_.entries[e].job->job, now));
    if (reasons.back().ok()) return true;
  }
  for (size_t i = 0; i < reasons.size(); ++i) {
    given_up_[entries_[input][i]] = std::move(reasons[i]);
  }
  return false;
}

}  // namespace deberta::server
