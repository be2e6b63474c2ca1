#include "server/base/work_queue.h"

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

void WorkQueue::Add(std::function<void()> work) {
  MutexLock lock(&mutex_);
  waiting_.push_back(std::move(work));
  changed_.Signal();
}

void WorkQueue::RunThread() {
  while (true) {
    std::function<void()> work;
    {
      MutexLock lock(&mutex_);
      while (waiting_.empty() && !stopping_) changed_.Wait(&mutex_);
      if (waiting_.empty()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace deberta::server
