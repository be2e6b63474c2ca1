#include "server/base/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace deberta::server {

size_t RaiseDescriptorLimit() {
  // More than anyone needs; some systems have no limit at all.
  constexpr rlim_t kMost = rlim_t{1} << 20;
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kMost;
  rlimit raised = limit;
  raised.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kMost));
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return std::min(limit.rlim_cur, kMost);
}

}  // namespace deberta::server
