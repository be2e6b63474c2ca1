// Watches how near the process is to its memory limit.

#ifndef SERVER_BASE_MEMORY_GUARD_H_
#define SERVER_BASE_MEMORY_GUARD_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <optional>

#include "absl/time/time.h"
#include "server/base/cgroup_limits.h"
#include "server/base/periodic_thread.h"

namespace deberta::server {

// Of a limit, what is to stay free: when less is, memory is short.
size_t MemoryReserve(size_t limit);

// Thread-safe.
class MemoryGuard {
 public:
  // `read` is asked every `interval`, on a thread of the guard's own; none: no
  // limit, and it is asked fifty times less often. When memory becomes short,
  // what the allocator holds free is given back first.
  MemoryGuard(std::function<std::optional<MemoryUse>()> read,
              absl::Duration interval = absl::Milliseconds(100));

  bool is_short() const { return short_; }
  // Of the limit, when last read; 0 without one.
  size_t left_bytes() const { return left_; }

  // What the thread does each time. Whether there is a limit.
  bool Look();

 private:
  const std::function<std::optional<MemoryUse>()> read_;
  std::atomic<bool> short_ = false;
  std::atomic<size_t> left_ = 0;
  PeriodicThread thread_;  // last: it uses the others
};

}  // namespace deberta::server

#endif  // SERVER_BASE_MEMORY_GUARD_H_
