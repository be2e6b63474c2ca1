#include "server/base/cpu_watch.h"

#include <utility>

namespace deberta::server {

CpuWatch::CpuWatch(std::function<double()> read, double cpus,
                   std::function<void(double)> changed, absl::Duration interval)
    : read_(std::move(read)),
      changed_(std::move(changed)),
      cpus_(cpus),
      thread_([this, interval] { RunThread(interval); }) {}

CpuWatch::~CpuWatch() {
  {
    const MutexLock lock(&mutex_);
    stopping_ = true;
    stop_.Signal();
  }
  thread_.join();
}

void CpuWatch::RunThread(absl::Duration interval) {
  MutexLock lock(&mutex_);
  while (!stopping_) {
    const double now = read_();
    if (now != cpus_) changed_(cpus_ = now);
    stop_.WaitFor(&mutex_, interval);
  }
}

}  // namespace deberta::server
