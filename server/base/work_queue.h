// A few threads that run what they are given: that of one caller in the order
// in which it comes, and of each caller a piece in turn.
//
// Thread-safe. What waits is not bounded here: who gives work has bounded it.

#ifndef SERVER_BASE_WORK_QUEUE_H_
#define SERVER_BASE_WORK_QUEUE_H_

#include <deque>
#include <functional>
#include <list>
#include <string>
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

  // `work` throws nothing. What is thrown here leaves the queue as it was.
  void Add(const std::string& caller, std::function<void()> work);

 private:
  struct Caller {
    std::string name;
    std::deque<std::function<void()>> waiting;  // never empty
  };

  void RunThread();

  Mutex mutex_;
  CondVar changed_;
  std::list<Caller> callers_ ABSL_GUARDED_BY(mutex_);  // the next one first
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace deberta::server

#endif  // SERVER_BASE_WORK_QUEUE_H_
