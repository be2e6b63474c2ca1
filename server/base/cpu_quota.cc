#include "server/base/cpu_quota.h"

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

// The least quota of `path` below `root` and of its ancestors. Inside a
// container the path may lead outside of what is mounted; the root then has the
// container's own quota.
std::optional<double> LeastQuota(
    const std::string& root, std::string path,
    std::optional<double> (*quota)(const std::string&)) {
  std::optional<double> least;
  while (true) {
    if (path == "/") path.clear();
    if (const std::optional<double> cpus = quota(root + path))
      least = std::min(least.value_or(*cpus), *cpus);
    if (path.empty()) return least;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

}  // namespace

std::optional<double> CgroupCpus(const std::string& cgroup_root,
                                 const std::string& proc_self_cgroup) {
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
    if (controllers.find(",cpu,") != std::string::npos) v1_path = path;
  }
  const std::optional<double> v2 = LeastQuota(cgroup_root, v2_path, QuotaV2);
  const std::optional<double> v1 =
      LeastQuota(cgroup_root + "/cpu", v1_path, QuotaV1);
  if (v1.has_value() && v2.has_value()) return std::min(*v1, *v2);
  return v1.has_value() ? v1 : v2;
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
