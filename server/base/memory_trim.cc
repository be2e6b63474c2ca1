#include "server/base/memory_trim.h"

#include <malloc.h>

#include <algorithm>
#include <cstddef>

#include "server/base/resident_memory.h"

namespace deberta::server {

MemoryTrim::MemoryTrim(absl::Duration interval)
    : thread_([this, interval] { RunThread(interval); }) {}

MemoryTrim::~MemoryTrim() {
  {
    const MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.Signal();
  }
  thread_.join();
}

void MemoryTrim::RunThread(absl::Duration interval) {
  size_t least = ResidentBytes();
  MutexLock lock(&mutex_);
  while (!stopping_) {
    changed_.WaitFor(&mutex_, interval);
    const size_t now = ResidentBytes();
    least = std::min(least, now);
    if (now > least + least / 16) malloc_trim(0);
  }
}

}  // namespace deberta::server
