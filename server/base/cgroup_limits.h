// How many CPUs and how much memory this process may use, as its cgroups say,
// of version 1 and 2. Every question reads the files anew.

#ifndef SERVER_BASE_CGROUP_LIMITS_H_
#define SERVER_BASE_CGROUP_LIMITS_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace deberta::server {

struct MemoryUse {
  size_t limit = 0;
  // Without what the kernel can drop, as files that it keeps in memory.
  size_t used = 0;

  size_t left() const { return limit > used ? limit - used : 0; }
};

// What the kernel made the process wait for its quota, ever.
struct CpuThrottling {
  double seconds = 0;
  size_t throttled_periods = 0;
  size_t periods = 0;
};

class Cgroup {
 public:
  // The hierarchies are mounted at `root`; `proc_self_cgroup` names the
  // process's place in them. Limits of its ancestors count as its own. Inside a
  // container that place may lead outside of what is mounted; the root then has
  // the container's own limits.
  explicit Cgroup(std::string root = "/sys/fs/cgroup",
                  std::string proc_self_cgroup = "/proc/self/cgroup")
      : root_(std::move(root)),
        proc_self_cgroup_(std::move(proc_self_cgroup)) {}

  // CPUs of the least quota, a fraction possibly (cpu.max; version 1:
  // cpu/cpu.cfs_quota_us). None without a quota.
  std::optional<double> Cpus() const;
  // The least limit in bytes (memory.max; memory/memory.limit_in_bytes). None
  // without a limit.
  std::optional<size_t> MemoryLimit() const;
  // Of the cgroup whose limit leaves the least. None without a limit.
  std::optional<MemoryUse> Memory() const;
  // Of the cgroup that was throttled longest (cpu.stat). Zeros without a quota.
  CpuThrottling Throttling() const;

 private:
  using Visit = std::function<void(const std::string& directory)>;

  // Calls one of them for each cgroup from the process's own up to the root.
  // `controller` is version 1's.
  void ForEach(const std::string& controller, const Visit& version2,
               const Visit& version1) const;

  std::string root_;
  std::string proc_self_cgroup_;
};

// CPUs within the process's affinity mask, which cpusets narrow, and the quota:
// a fraction possibly, above 0.
double UsableCpus(const Cgroup& cgroup);
// As many threads as use them all.
int ThreadsFor(double cpus);

}  // namespace deberta::server

#endif  // SERVER_BASE_CGROUP_LIMITS_H_
