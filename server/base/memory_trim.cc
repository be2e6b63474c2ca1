#include "server/base/memory_trim.h"

#include <malloc.h>

#include <algorithm>
#include <cstddef>

#include "server/base/resident_memory.h"

namespace deberta::server {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(5);

}  // namespace

MemoryTrim::MemoryTrim() : thread_([this] { RunThread(); }) {}

MemoryTrim::~MemoryTrim() {
  {
    const MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.Signal();
  }
  thread_.join();
}

void MemoryTrim::RunThread() {
  size_t least = ResidentBytes();
  MutexLock lock(&mutex_);
  while (!stopping_) {
    changed_.WaitFor(&mutex_, kInterval);
    const size_t now = ResidentBytes();
    least = std::min(least, now);
    if (now > least + least / 16) malloc_trim(0);
  }
}

}  // namespace deberta::server
