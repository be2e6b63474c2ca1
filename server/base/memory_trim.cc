#include "server/base/memory_trim.h"

#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>

namespace deberta::server {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(5);
constexpr size_t kGrowthBytes = size_t{4} << 20;

size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  size_t size = 0;
  size_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

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
  size_t trimmed = ResidentBytes();
  MutexLock lock(&mutex_);
  while (!stopping_) {
    changed_.WaitFor(&mutex_, kInterval);
    if (ResidentBytes() < trimmed + kGrowthBytes) continue;
    malloc_trim(0);
    trimmed = ResidentBytes();
  }
}

}  // namespace deberta::server
