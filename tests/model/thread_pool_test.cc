#include "model/thread_pool.h"

#include <atomic>
#include <cstdint>
#include <numeric>
#include <vector>

#include "gtest/gtest.h"

namespace deberta::model {
namespace {

TEST(ThreadPoolTest, RunsEveryTaskOnce) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const size_t tasks : {0u, 1u, 2u, 7u, 1000u}) {
      std::vector<std::atomic<int>> runs(tasks);
      pool.ParallelFor(tasks, [&](size_t task, int thread) {
        EXPECT_GE(thread, 0);
        EXPECT_LT(thread, threads);
        ++runs[task];
      });
      for (const auto& count : runs) EXPECT_EQ(count, 1);
    }
  }
}

// Loops follow each other faster than threads fall asleep, and sometimes not:
// results of a loop are seen by the next, and nothing of an old loop runs late.
TEST(ThreadPoolTest, LoopsFollowEachOther) {
  ThreadPool pool(3);
  std::vector<int> values(64, 0);
  std::atomic<uint64_t> work = 0;
  for (int loop = 1; loop <= 3000; ++loop) {
    const size_t tasks = 1 + static_cast<size_t>(loop) % values.size();
    pool.ParallelFor(tasks, [&](size_t task, int) { ++values[task]; });
    // Longer than a waiting thread spins.
    for (int i = 0; loop % 500 == 0 && i < 1'000'000; ++i) ++work;
  }
  int64_t expected = 0;
  for (int loop = 1; loop <= 3000; ++loop) expected += 1 + loop % 64;
  EXPECT_EQ(std::accumulate(values.begin(), values.end(), int64_t{0}),
            expected);
}

TEST(ThreadPoolTest, CutsRanges) {
  ThreadPool pool(2);
  std::vector<std::atomic<int>> covered(10);
  pool.ParallelForRanges(10, 4, [&](size_t begin, size_t end, int) {
    EXPECT_LE(end - begin, 4u);
    for (size_t i = begin; i < end; ++i) ++covered[i];
  });
  for (const auto& count : covered) EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace deberta::model
