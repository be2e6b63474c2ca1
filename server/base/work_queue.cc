#include "server/base/work_queue.h"

#include <algorithm>
#include <utility>

namespace deberta::server {

WorkQueue::WorkQueue(int threads) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { RunThread(); });
  }
}

WorkQueue::~WorkQueue() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void WorkQueue::Add(const std::string& caller, std::function<void()> work) {
  MutexLock lock(&mutex_);
  const auto its = std::ranges::find(callers_, caller, &Caller::name);
  if (its != callers_.end()) {
    its->waiting.push_back(std::move(work));
  } else {
    Caller first = {.name = caller, .waiting = {}};
    first.waiting.push_back(std::move(work));
    callers_.push_back(std::move(first));
  }
  changed_.Signal();
}

void WorkQueue::RunThread() {
  while (true) {
    std::function<void()> work;
    {
      MutexLock lock(&mutex_);
      while (callers_.empty() && !stopping_) changed_.Wait(&mutex_);
      if (callers_.empty()) return;
      Caller& next = callers_.front();
      work = std::move(next.waiting.front());
      next.waiting.pop_front();
      if (next.waiting.empty()) {
        callers_.pop_front();
      } else {
        callers_.splice(callers_.end(), callers_, callers_.begin());
      }
    }
    work();
  }
}

}  // namespace deberta::server
