// Reads again and again how many CPUs the process may use.

#ifndef SERVER_BASE_CPU_WATCH_H_
#define SERVER_BASE_CPU_WATCH_H_

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"

namespace deberta::server {

class CpuWatch {
 public:
  // `read` is asked every `interval`, and `changed` told when it differs from
  // before, both on a thread of the watch's own. `cpus`: what it was last.
  CpuWatch(std::function<double()> read, double cpus,
           std::function<void(double cpus)> changed,
           absl::Duration interval = absl::Seconds(2));
  ~CpuWatch();
  CpuWatch(const CpuWatch&) = delete;
  CpuWatch& operator=(const CpuWatch&) = delete;

 private:
  void RunThread(absl::Duration interval);

  const std::function<double()> read_;
  const std::function<void(double)> changed_;
  double cpus_;  // of the thread
  Mutex mutex_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace deberta::server

#endif  // SERVER_BASE_CPU_WATCH_H_
