// Reads again and again how many CPUs the process may use.

#ifndef SERVER_BASE_CPU_WATCH_H_
#define SERVER_BASE_CPU_WATCH_H_

#include <functional>

#include "absl/time/time.h"
#include "server/base/periodic_thread.h"

namespace deberta::server {

class CpuWatch {
 public:
  // `read` is asked every `interval`, and `changed` told when it differs from
  // before, both on a thread of the watch's own. `cpus`: what it was last.
  CpuWatch(std::function<double()> read, double cpus,
           std::function<void(double cpus)> changed,
           absl::Duration interval = absl::Seconds(2));

 private:
  PeriodicThread thread_;
};

}  // namespace deberta::server

#endif  // SERVER_BASE_CPU_WATCH_H_
