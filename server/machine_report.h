// What is logged, and exported, of the machine's limits.

#ifndef SERVER_MACHINE_REPORT_H_
#define SERVER_MACHINE_REPORT_H_

#include <memory>

#include "server/base/cgroup_limits.h"
#include "server/base/cpu_watch.h"
#include "server/base/log.h"
#include "server/base/memory_guard.h"
#include "server/engine.h"
#include "server/memory_plan.h"
#include "server/metrics.h"
#include "server/rpc/service.h"

namespace deberta::server {

// All but the plan, of which a copy is taken, outlive the metrics.
void ReportMemory(const MemoryPlan& plan, const MemoryGuard* guard,
                  const Service* service, Metrics* metrics, Log* log);

// Follows the CPUs that the process may use, until it is destroyed.
std::unique_ptr<CpuWatch> FollowCpus(const Cgroup& cgroup, double cpus,
                                     Engine* engine, Metrics* metrics,
                                     Log* log);

}  // namespace deberta::server

#endif  // SERVER_MACHINE_REPORT_H_
