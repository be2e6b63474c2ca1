#include "server/process_collector.h"

#include <prometheus/metric_family.h>
#include <time.h>

#include "server/base/resident_memory.h"

namespace deberta::server {
namespace {

prometheus::MetricFamily OneValue(const char* name, const char* help,
                                  prometheus::MetricType type, double value) {
  prometheus::MetricFamily family = {name, help, type, {{}}};
  if (type == prometheus::MetricType::Counter) {
    family.metric[0].counter.value = value;
  } else {
    family.metric[0].gauge.value = value;
  }
  return family;
}

double CpuSeconds() {
  timespec spent = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) +
         static_cast<double>(spent.tv_nsec) * 1e-9;
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessCollector::Collect() const {
  return {OneValue("process_resident_memory_bytes",
                   "Physical memory that the process holds, mapped files "
                   "included.",
                   prometheus::MetricType::Gauge,
                   static_cast<double>(ResidentBytes())),
          OneValue("process_cpu_seconds_total",
                   "CPU time that the process has used.",
                   prometheus::MetricType::Counter, CpuSeconds()),
          OneValue("deberta_inflight_requests",
                   "Requests that are accepted and not yet answered.",
                   prometheus::MetricType::Gauge,
                   static_cast<double>(inflight_()))};
}

}  // namespace deberta::server
