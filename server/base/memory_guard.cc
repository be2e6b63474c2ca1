#include "server/base/memory_guard.h"

#include <malloc.h>

#include <algorithm>
#include <utility>

namespace deberta::server {

size_t MemoryReserve(size_t limit) {
  constexpr size_t kMost = size_t{64} << 20;
  return std::min(limit / 16, kMost);
}

MemoryGuard::MemoryGuard(std::function<std::optional<MemoryUse>()> read,
                         absl::Duration interval)
    : read_(std::move(read)),
      thread_([this, interval] { return Look() ? interval : 50 * interval; }) {}

bool MemoryGuard::Look() {
  const auto is_short = [](const std::optional<MemoryUse>& use) {
    return use.has_value() && use->left() < MemoryReserve(use->limit);
  };
  std::optional<MemoryUse> use = read_();
  if (is_short(use) && !short_) {
    malloc_trim(0);
    use = read_();
  }
  left_ = use.has_value() ? use->left() : 0;
  short_ = is_short(use);
  return use.has_value();
}

}  // namespace deberta::server
