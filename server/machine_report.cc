#include "server/machine_report.h"

#include <cstdint>
#include <string>

namespace deberta::server {

void ReportMemory(const MemoryPlan& plan, const MemoryGuard* guard,
                  const Service* service, Metrics* metrics, Log* log) {
  const auto number = [](size_t bytes) { return static_cast<int64_t>(bytes); };
  const size_t limit = plan.limit.value_or(0);
  log->Info("memory ceiling", {{"ceiling_bytes", number(plan.ceiling())},
                               {"limit_bytes", number(limit)},
                               {"loaded_bytes", number(plan.loaded)},
                               {"workspace_bytes", number(plan.workspaces)},
                               {"connection_bytes", number(plan.connections)},
                               {"transport_bytes", number(plan.transports)},
                               {"request_bytes", number(plan.requests)},
                               {"reserve_bytes", number(plan.reserve)}});
  const auto watch = [&](std::string name, std::string help, auto value) {
    metrics->WatchGauge(std::move(name), std::move(help),
                        [value] { return static_cast<double>(value()); });
  };
  watch("deberta_memory_ceiling_bytes",
        "What the process may come to hold, as planned at its start.",
        [bytes = plan.ceiling()] { return bytes; });
  watch("deberta_memory_limit_bytes", "The cgroup's limit; 0 without one.",
        [limit] { return limit; });
  watch("deberta_memory_left_bytes",
        "What the cgroup may still take; 0 without a limit.",
        [guard] { return guard->left_bytes(); });
  watch("deberta_memory_short",
        "1 while calls are refused since less than the reserve is left.",
        [guard] { return guard->is_short() ? 1 : 0; });
  watch("deberta_inflight_limit_bytes", "Memory that calls may hold together.",
        [bytes = plan.requests] { return bytes; });
  watch("deberta_inflight_bytes", "Memory that calls hold, as priced.",
        [service] { return service->held_bytes(); });
}

std::unique_ptr<CpuWatch> FollowCpus(const Cgroup& cgroup, double cpus,
                                     Engine* engine, Metrics* metrics,
                                     Log* log) {
  metrics->WatchGauge(
      "deberta_cpus",
      "CPUs that affinity, cpuset and the cgroup's quota leave.",
      [engine] { return engine->cpus(); });
  metrics->WatchGauge("deberta_compute_threads", "Threads that compute.",
                      [engine] { return engine->threads(); });
  metrics->WatchCounter("deberta_cpu_throttled_seconds_total",
                        "Time that the cgroup waited for its quota.",
                        [cgroup] { return cgroup.Throttling().seconds; });
  metrics->WatchCounter(
      "deberta_cpu_throttled_periods_total",
      "Periods in which the cgroup used up its quota.",
      [cgroup] { return cgroup.Throttling().throttled_periods; });
  metrics->WatchCounter("deberta_cpu_periods_total",
                        "Periods of the cgroup's quota.",
                        [cgroup] { return cgroup.Throttling().periods; });
  return std::make_unique<CpuWatch>(
      [cgroup] { return UsableCpus(cgroup); }, cpus,
      [=](double now) {
        const double before = engine->cpus();
        engine->SetCpus(now);
        log->Info("usable CPUs changed",
                  {{"before", before},
                   {"cpus", now},
                   {"threads", int64_t{engine->threads()}}});
      });
}

}  // namespace deberta::server
