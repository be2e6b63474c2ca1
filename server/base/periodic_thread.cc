#include "server/base/periodic_thread.h"

#include <utility>

namespace deberta::server {

PeriodicThread::PeriodicThread(std::function<absl::Duration()> work)
    : work_(std::move(work)), thread_([this] { Run(); }) {}

PeriodicThread::~PeriodicThread() {
  {
    const MutexLock lock(&mutex_);
    stopping_ = true;
    stop_.Signal();
  }
  thread_.join();
}

void PeriodicThread::Run() {
  while (true) {
    const absl::Duration wait = work_();
    MutexLock lock(&mutex_);
    if (!stopping_) stop_.WaitFor(&mutex_, wait);
    if (stopping_) return;
  }
}

}  // namespace deberta::server
