#include "server/base/cgroup_limits.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace deberta::server {
namespace {

// A made-up /sys/fs/cgroup and /proc/self/cgroup.
class CgroupLimitsTest : public testing::Test {
 protected:
  CgroupLimitsTest()
      : root_(testing::TempDir() + "/cgroup_limits_" +
              testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(root_);
  }
  ~CgroupLimitsTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file(root_ + "/" + path);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << "\n";
  }

  std::optional<double> Cpus() const { return cgroup().Cpus(); }
  std::optional<size_t> Memory() const { return cgroup().MemoryLimit(); }
  Cgroup cgroup() const { return Cgroup(root_ + "/sys", root_ + "/cgroup"); }

 private:
  const std::string root_;
};

TEST_F(CgroupLimitsTest, NoFilesMeanNoQuota) {
  EXPECT_EQ(Cpus(), std::nullopt);
}

TEST_F(CgroupLimitsTest, MaxMeansNoQuota) {
  Write("cgroup", "0::/");
  Write("sys/cpu.max", "max 100000");
  EXPECT_EQ(Cpus(), std::nullopt);
}

TEST_F(CgroupLimitsTest, TheLeastQuotaOfThePathCounts) {
  Write("cgroup", "0::/pods/mine");
  Write("sys/pods/mine/cpu.max", "400000 100000");
  Write("sys/pods/cpu.max", "150000 100000");
  EXPECT_EQ(Cpus(), 1.5);
}

TEST_F(CgroupLimitsTest, APathOutsideTheContainerLeavesTheRoot) {
  Write("cgroup", "0::/../../elsewhere");
  Write("sys/cpu.max", "200000 100000");
  EXPECT_EQ(Cpus(), 2.0);
}

TEST_F(CgroupLimitsTest, VersionOneIsRead) {
  Write("cgroup", "5:memory:/other\n4:cpu,cpuacct:/box\n0::/");
  Write("sys/cpu/box/cpu.cfs_quota_us", "50000");
  Write("sys/cpu/box/cpu.cfs_period_us", "100000");
  Write("sys/cpu/cpu.cfs_quota_us", "-1");
  Write("sys/cpu/cpu.cfs_period_us", "100000");
  EXPECT_EQ(Cpus(), 0.5);
}

TEST_F(CgroupLimitsTest, AQuotaIsOfUse) {
  Write("sys/cpu.max", "50000 100000");
  EXPECT_EQ(UsableCpus(cgroup()), 0.5);
  Write("sys/cpu.max", "max 100000");
  EXPECT_GE(UsableCpus(cgroup()), 1);
  EXPECT_EQ(ThreadsFor(0.5), 1);
  EXPECT_EQ(ThreadsFor(1), 1);
  EXPECT_EQ(ThreadsFor(1.5), 2);
}

TEST_F(CgroupLimitsTest, ThrottlingIsThatOfWhoIsThrottledMost) {
  EXPECT_EQ(cgroup().Throttling().periods, 0u);
  Write("cgroup", "0::/pods/mine");
  Write("sys/pods/mine/cpu.stat",
        "usage_usec 9\nnr_periods 0\n"
        "nr_throttled 0\nthrottled_usec 0");
  Write("sys/pods/cpu.stat",
        "usage_usec 9\nnr_periods 40\n"
        "nr_throttled 30\nthrottled_usec 1500000");
  const CpuThrottling v2 = cgroup().Throttling();
  EXPECT_EQ(v2.seconds, 1.5);
  EXPECT_EQ(v2.throttled_periods, 30u);
  EXPECT_EQ(v2.periods, 40u);
  Write("sys/cpu/cpu.stat",
        "nr_periods 50\nnr_throttled 1\nthrottled_time 2000000000");
  EXPECT_EQ(cgroup().Throttling().seconds, 2.0);
}

// Files that the kernel keeps in memory fill every cgroup up to its limit.
TEST_F(CgroupLimitsTest, UseIsWhatTheKernelCannotDrop) {
  EXPECT_FALSE(cgroup().Memory().has_value());
  Write("cgroup", "5:memory:/box\n0::/mine");
  Write("sys/mine/memory.max", "1000");
  Write("sys/mine/memory.current", "900");
  Write("sys/mine/memory.stat",
        "anon 300\nfile 500\nshmem 100\n"
        "slab_reclaimable 50");
  std::optional<MemoryUse> use = cgroup().Memory();
  ASSERT_TRUE(use.has_value());
  EXPECT_EQ(use->limit, 1000u);
  EXPECT_EQ(use->used, 450u);
  // The one with the least left counts, not that with the least limit.
  Write("sys/memory/memory.limit_in_bytes", "5000");
  Write("sys/memory/memory.usage_in_bytes", "4990");
  Write("sys/memory/memory.stat",
        "cache 9\ntotal_cache 100\n"
        "total_shmem 10");
  use = cgroup().Memory();
  EXPECT_EQ(use->limit, 5000u);
  EXPECT_EQ(use->left(), 100u);
}

TEST_F(CgroupLimitsTest, TheLeastMemoryLimitOfThePathCounts) {
  EXPECT_EQ(Memory(), std::nullopt);
  Write("cgroup", "0::/pods/mine");
  Write("sys/pods/mine/memory.max", "max");
  EXPECT_EQ(Memory(), std::nullopt);
  Write("sys/pods/memory.max", "1073741824");
  EXPECT_EQ(Memory(), size_t{1} << 30);
  Write("sys/pods/mine/memory.max", "536870912");
  EXPECT_EQ(Memory(), size_t{1} << 29);
}

TEST_F(CgroupLimitsTest, MemoryOfVersionOneIsRead) {
  Write("cgroup", "5:memory:/box\n0::/");
  Write("sys/memory/box/memory.limit_in_bytes", "268435456");
  Write("sys/memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(Memory(), size_t{1} << 28);
}

}  // namespace
}  // namespace deberta::server
