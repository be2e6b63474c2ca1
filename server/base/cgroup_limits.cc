#include "server/base/cgroup_limits.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace deberta::server {
namespace {

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<double> Ratio(const std::string& quota,
                            const std::string& period) {
  const double numerator = std::strtod(quota.c_str(), nullptr);
  const double denominator = std::strtod(period.c_str(), nullptr);
  if (numerator <= 0 || denominator <= 0) return std::nullopt;
  return numerator / denominator;
}

// "max 100000" or "150000 100000".
std::optional<double> QuotaV2(const std::string& directory) {
  std::istringstream words(FirstLine(directory + "/cpu.max"));
  std::string quota;
  std::string period;
  words >> quota >> period;
  return Ratio(quota, period);
}

std::optional<double> QuotaV1(const std::string& directory) {
  return Ratio(FirstLine(directory + "/cpu.cfs_quota_us"),
               FirstLine(directory + "/cpu.cfs_period_us"));
}

// "max" or "1073741824".
std::optional<double> BytesOf(const std::string& line) {
  // Version 1 writes the largest multiple of a page for no limit.
  constexpr double kNoLimit = 0x1p62;
  const double bytes = std::strtod(line.c_str(), nullptr);
  if (bytes <= 0 || bytes >= kNoLimit) return std::nullopt;
  return bytes;
}

std::optional<double> MemoryV2(const std::string& directory) {
  return BytesOf(FirstLine(directory + "/memory.max"));
}

std::optional<double> MemoryV1(const std::string& directory) {
  return BytesOf(FirstLine(directory + "/memory.limit_in_bytes"));
}

using LimitOf = std::optional<double> (*)(const std::string& directory);

// The least limit of `path` below `root` and of its ancestors. Inside a
// container the path may lead outside of what is mounted; the root then has the
// container's own limit.
std::optional<double> LeastLimit(const std::string& root, std::string path,
                                 LimitOf limit) {
  std::optional<double> least;
  while (true) {
    if (path == "/") path.clear();
    if (const std::optional<double> own = limit(root + path))
      least = std::min(least.value_or(*own), *own);
    if (path.empty()) return least;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

// The least limit of both versions. `controller` is version 1's.
std::optional<double> CgroupLimit(const std::string& cgroup_root,
                                  const std::string& proc_self_cgroup,
                                  const std::string& controller, LimitOf v2,
                                  LimitOf v1) {
  // Lines are "hierarchy:controllers:path"; version 2 has no controllers.
  std::string v1_path = "/";
  std::string v2_path = "/";
  std::ifstream file(proc_self_cgroup);
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::string controllers(1, ',');
    controllers.append(line, first + 1, second - first - 1).push_back(',');
    const std::string path = line.substr(second + 1);
    if (controllers == ",,") v2_path = path;
    if (controllers.find("," + controller + ",") != std::string::npos) {
      v1_path = path;
    }
  }
  const std::optional<double> of_v2 = LeastLimit(cgroup_root, v2_path, v2);
  const std::optional<double> of_v1 =
      LeastLimit(cgroup_root + "/" + controller, v1_path, v1);
  if (of_v1.has_value() && of_v2.has_value()) return std::min(*of_v1, *of_v2);
  return of_v1.has_value() ? of_v1 : of_v2;
}

}  // namespace

std::optional<double> CgroupCpus(const std::string& cgroup_root,
                                 const std::string& proc_self_cgroup) {
  return CgroupLimit(cgroup_root, proc_self_cgroup, "cpu", QuotaV2, QuotaV1);
}

std::optional<size_t> CgroupMemoryBytes(const std::string& cgroup_root,
                                        const std::string& proc_self_cgroup) {
  const std::optional<double> bytes =
      CgroupLimit(cgroup_root, proc_self_cgroup, "memory", MemoryV2, MemoryV1);
  if (!bytes.has_value()) return std::nullopt;
  return static_cast<size_t>(*bytes);
}

int UsableCpus() {
  int cpus = 1;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) cpus = CPU_COUNT(&set);
  if (const std::optional<double> quota = CgroupCpus())
    cpus = std::min(cpus, static_cast<int>(std::floor(*quota)));
  return std::max(cpus, 1);
}

}  // namespace deberta::server
