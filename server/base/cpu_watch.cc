#include "server/base/cpu_watch.h"

#include <utility>

namespace deberta::server {

CpuWatch::CpuWatch(std::function<double()> read, double cpus,
                   std::function<void(double)> changed, absl::Duration interval)
    : thread_([read = std::move(read), changed = std::move(changed), cpus,
               interval]() mutable {
        const double now = read();
        if (now != cpus) changed(cpus = now);
        return interval;
      }) {}

}  // namespace deberta::server
