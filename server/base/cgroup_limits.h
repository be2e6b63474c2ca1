// How many CPUs and how much memory this process may use.

#ifndef SERVER_BASE_CPU_QUOTA_H_
#define SERVER_BASE_CPU_QUOTA_H_

#include <cstddef>
#include <optional>
#include <string>

namespace deberta::server {

// CPUs of the cgroup's quota, a fraction possibly: the least along the path
// from the process's cgroup, as `proc_self_cgroup` names it, up to the root of
// the hierarchies mounted at `cgroup_root` (cpu.max of version 2,
// cpu/cpu.cfs_quota_us of version 1). None without a quota.
std::optional<double> CgroupCpus(
    const std::string& cgroup_root = "/sys/fs/cgroup",
    const std::string& proc_self_cgroup = "/proc/self/cgroup");

// Bytes of the cgroup's memory limit, found in the same way (memory.max,
// memory/memory.limit_in_bytes). None without a limit.
std::optional<size_t> CgroupMemoryBytes(
    const std::string& cgroup_root = "/sys/fs/cgroup",
    const std::string& proc_self_cgroup = "/proc/self/cgroup");

// Whole CPUs within the affinity mask and the quota; at least 1.
int UsableCpus();

}  // namespace deberta::server

#endif  // SERVER_BASE_CPU_QUOTA_H_
