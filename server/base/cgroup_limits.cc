#include "server/base/cgroup_limits.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

namespace deberta::server {
namespace {

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Lines of a name and a number.
std::map<std::string, double> Numbers(const std::string& path) {
  std::map<std::string, double> numbers;
  std::ifstream file(path);
  std::string name;
  double value = 0;
  while (file >> name >> value) numbers[name] = value;
  return numbers;
}

// Keeps the least.
void Keep(std::optional<double> value, std::optional<double>* least) {
  if (value.has_value()) *least = std::min(least->value_or(*value), *value);
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

// `all` but what can be dropped of it.
size_t Undroppable(double all, double files, double shared, double slab) {
  return static_cast<size_t>(
      std::max(0.0, all - std::max(0.0, files - shared) - slab));
}

// What the versions call the same.
struct MemoryNames {
  const char* limit;
  const char* usage;
  // Of memory.stat.
  const char* files;
  const char* shared;
  const char* slab;
};
constexpr MemoryNames kNamesV2 = {"/memory.max", "/memory.current", "file",
                                  "shmem", "slab_reclaimable"};
// Slabs are not in its usage.
constexpr MemoryNames kNamesV1 = {"/memory.limit_in_bytes",
                                  "/memory.usage_in_bytes", "total_cache",
                                  "total_shmem", ""};

// Those without a limit have none.
std::optional<MemoryUse> UseOf(const std::string& directory,
                               const MemoryNames& names) {
  const std::optional<double> limit =
      BytesOf(FirstLine(directory + names.limit));
  if (!limit.has_value()) return std::nullopt;
  std::map<std::string, double> stat = Numbers(directory + "/memory.stat");
  const double all = BytesOf(FirstLine(directory + names.usage)).value_or(0);
  return MemoryUse{static_cast<size_t>(*limit),
                   Undroppable(all, stat[names.files], stat[names.shared],
                               stat[names.slab])};
}

}  // namespace

void Cgroup::ForEach(const std::string& controller, const Visit& version2,
                     const Visit& version1) const {
  // Lines are "hierarchy:controllers:path"; version 2 has no controllers.
  std::string v1_path = "/";
  std::string v2_path = "/";
  std::ifstream file(proc_self_cgroup_);
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
  const auto visit = [](const std::string& root, std::string path,
                        const Visit& call) {
    while (true) {
      if (path == "/") path.clear();
      call(root + path);
      if (path.empty()) return;
      path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    }
  };
  visit(root_, v2_path, version2);
  visit(root_ + "/" + controller, v1_path, version1);
}

std::optional<double> Cgroup::Cpus() const {
  std::optional<double> least;
  ForEach(
      "cpu", [&](const auto& directory) { Keep(QuotaV2(directory), &least); },
      [&](const auto& directory) { Keep(QuotaV1(directory), &least); });
  return least;
}

std::optional<size_t> Cgroup::MemoryLimit() const {
  std::optional<double> least;
  const auto keep = [&](const std::string& path) {
    Keep(BytesOf(FirstLine(path)), &least);
  };
  ForEach(
      "memory",
      [&](const auto& directory) { keep(directory + kNamesV2.limit); },
      [&](const auto& directory) { keep(directory + kNamesV1.limit); });
  if (!least.has_value()) return std::nullopt;
  return static_cast<size_t>(*least);
}

std::optional<MemoryUse> Cgroup::Memory() const {
  std::optional<MemoryUse> tightest;
  const auto keep = [&](const std::optional<MemoryUse>& use) {
    if (!use.has_value()) return;
    if (!tightest.has_value() || use->left() < tightest->left()) tightest = use;
  };
  ForEach(
      "memory",
      [&](const auto& directory) { keep(UseOf(directory, kNamesV2)); },
      [&](const auto& directory) { keep(UseOf(directory, kNamesV1)); });
  return tightest;
}

CpuThrottling Cgroup::Throttling() const {
  CpuThrottling longest;
  const auto keep = [&](const std::string& directory, const char* time,
                        double unit) {
    std::map<std::string, double> stat = Numbers(directory + "/cpu.stat");
    const CpuThrottling own = {
        .seconds = stat[time] * unit,
        .throttled_periods = static_cast<size_t>(stat["nr_throttled"]),
        .periods = static_cast<size_t>(stat["nr_periods"])};
    if (own.seconds > longest.seconds ||
        (own.seconds == longest.seconds && own.periods > longest.periods)) {
      longest = own;
    }
  };
  ForEach(
      "cpu",
      [&](const auto& directory) { keep(directory, "throttled_usec", 1e-6); },
      [&](const auto& directory) { keep(directory, "throttled_time", 1e-9); });
  return longest;
}

double UsableCpus(const Cgroup& cgroup) {
  double cpus = 1;
  cpu_set_t set;
  // Of the process's first thread, whichever asks.
  if (sched_getaffinity(getpid(), sizeof(set), &set) == 0)
    cpus = std::max(1, CPU_COUNT(&set));
  return std::min(cpus, cgroup.Cpus().value_or(cpus));
}

int ThreadsFor(double cpus) {
  return std::max(1, static_cast<int>(std::ceil(cpus)));
}

}  // namespace deberta::server
