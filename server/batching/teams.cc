#include "server/batching/teams.h"

#include <algorithm>

namespace deberta::server {
namespace {

// A batch meets some seven barriers a layer, at microseconds each; below so
// many tokens a thread they cost more than another thread saves. docs/
// scheduling.md has measurements.
constexpr size_t kTokensPerThread = 8;

// Whether `a` has more tokens for each thread than `b`.
bool NeedsMore(const Team& a, const Team& b) {
  return a.tokens * static_cast<size_t>(b.threads) >
         b.tokens * static_cast<size_t>(a.threads);
}

}  // namespace

int MostThreads(size_t tokens, int limit) {
  const size_t useful =
      std::max<size_t>(1, (tokens + kTokensPerThread - 1) / kTokensPerThread);
  return static_cast<int>(std::min(useful, static_cast<size_t>(limit)));
}

std::optional<size_t> TeamToJoin(std::span<const Team> teams) {
  std::optional<size_t> best;
  for (size_t i = 0; i < teams.size(); ++i) {
    if (teams[i].threads >= teams[i].most) continue;
    if (!best.has_value() || NeedsMore(teams[i], teams[*best])) best = i;
  }
  return best;
}

}  // namespace deberta::server
