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

  std::optional<double> Cpus() const {
    return CgroupCpus(root_ + "/sys", root_ + "/cgroup");
  }
  std::optional<size_t> Memory() const {
    return CgroupMemoryBytes(root_ + "/sys", root_ + "/cgroup");
  }

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

TEST(UsableCpusTest, IsAtLeastOne) { EXPECT_GE(UsableCpus(), 1); }

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
