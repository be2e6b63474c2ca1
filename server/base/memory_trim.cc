#include "server/base/memory_trim.h"

#include <malloc.h>

#include <algorithm>
#include <cstddef>

#include "server/base/resident_memory.h"

namespace deberta::server {

MemoryTrim::MemoryTrim(absl::Duration interval)
    : thread_([least = ResidentBytes(), interval]() mutable {
        const size_t now = ResidentBytes();
        least = std::min(least, now);
        if (now > least + least / 16) malloc_trim(0);
        return interval;
      }) {}

}  // namespace deberta::server
