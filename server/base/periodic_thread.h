// A thread that does the same again and again.

#ifndef SERVER_BASE_PERIODIC_THREAD_H_
#define SERVER_BASE_PERIODIC_THREAD_H_

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"

namespace deberta::server {

class PeriodicThread {
 public:
  // Calls `work` at once, and again when as much time has passed as it returns.
  explicit PeriodicThread(std::function<absl::Duration()> work);
  // Waits for a call that is running, and for no other.
  ~PeriodicThread();
  PeriodicThread(const PeriodicThread&) = delete;
  PeriodicThread& operator=(const PeriodicThread&) = delete;

 private:
  void Run();

  const std::function<absl::Duration()> work_;
  Mutex mutex_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace deberta::server

#endif  // SERVER_BASE_PERIODIC_THREAD_H_
