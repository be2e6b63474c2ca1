#include "server/base/cpu_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

namespace deberta::server {
namespace {

TEST(CpuWatchTest, TellsOfChangesAlone) {
  const std::vector<double> read = {2, 2, 1, 1, 1.5};
  std::atomic<size_t> next = 0;
  std::vector<double> told;
  std::promise<void> all;
  const CpuWatch watch(
      [&] { return next < read.size() ? read[next++] : read.back(); }, 2,
      [&](double cpus) {
        told.push_back(cpus);
        if (cpus == read.back()) all.set_value();
      },
      absl::Milliseconds(1));
  all.get_future().wait();
  EXPECT_EQ(told, std::vector<double>({1, 1.5}));
}

}  // namespace
}  // namespace deberta::server
