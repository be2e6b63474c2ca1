#include "server/base/cpu_quota.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace deberta::server {
namespace {

// A made-up /sys/fs/cgroup and /proc/self/cgroup.
class CpuQuotaTest : public testing::Test {
 protected:
  CpuQuotaTest()
      : root_(testing::TempDir() + "/cpu_quota_" +
              testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(root_);
  }
  ~CpuQuotaTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file(root_ + "/" + path);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << "\n";
  }

  std::optional<double> Cpus() const {
    return CgroupCpus(root_ + "/sys", root_ + "/cgroup");
  }

 private:
  const std::string root_;
};

TEST_F(CpuQuotaTest, NoFilesMeanNoQuota) { EXPECT_EQ(Cpus(), std::nullopt); }

TEST_F(CpuQuotaTest, MaxMeansNoQuota) {
  Write("cgroup", "0::/");
  Write("sys/cpu.max", "max 100000");
  EXPECT_EQ(Cpus(), std::nullopt);
}

TEST_F(CpuQuotaTest, TheLeastQuotaOfThePathCounts) {
  Write("cgroup", "0::/pods/mine");
  Write("sys/pods/mine/cpu.max", "400000 100000");
  Write("sys/pods/cpu.max", "150000 100000");
  EXPECT_EQ(Cpus(), 1.5);
}

TEST_F(CpuQuotaTest, APathOutsideTheContainerLeavesTheRoot) {
  Write("cgroup", "0::/../../elsewhere");
  Write("sys/cpu.max", "200000 100000");
  EXPECT_EQ(Cpus(), 2.0);
}

TEST_F(CpuQuotaTest, VersionOneIsRead) {
  Write("cgroup", "5:memory:/other\n4:cpu,cpuacct:/box\n0::/");
  Write("sys/cpu/box/cpu.cfs_quota_us", "50000");
  Write("sys/cpu/box/cpu.cfs_period_us", "100000");
  Write("sys/cpu/cpu.cfs_quota_us", "-1");
  Write("sys/cpu/cpu.cfs_period_us", "100000");
  EXPECT_EQ(Cpus(), 0.5);
}

TEST(UsableCpusTest, IsAtLeastOne) { EXPECT_GE(UsableCpus(), 1); }

}  // namespace
}  // namespace deberta::server
