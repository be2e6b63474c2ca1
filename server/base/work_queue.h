// A few threads that run what they are given, in the order in which it comes.
//
// Thread-safe. What waits is not bounded here: who gives work has bounded it.

#ifndef SERVER_BASE_WORK_QUEUE_H_
#define SERVER_BASE_WORK_QUEUE_H_

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace deberta::server {

class WorkQueue {
 public:
  // REQUIRES: threads > 0.
  explicit WorkQueue(int threads);
  // Runs what still waits.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // `work` throws nothing.
  void Add(std::function<void()> work);

 private:
  void RunThread();

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace deberta::server

#endif  // SERVER_BASE_WORK_QUEUE_H_
