#include "model/runtime/thread_pool.h"

#include <atomic>
#include <cstdint>
#include <new>
#include <numeric>
#include <thread>
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

bool NoCall() { return false; }

// Runs one loop of the calling thread, number 7, and the helper, number 3.
void ExpectBothWork(ThreadPool& pool) {
  while (pool.threads() < 2) std::this_thread::yield();
  std::atomic<int> leader_tasks = 0;
  std::atomic<int> helper_tasks = 0;
  pool.ParallelFor(2, [&](size_t, int thread) {
    ++(thread == 7 ? leader_tasks : helper_tasks);
    EXPECT_TRUE(thread == 7 || thread == 3);
    // Neither can take both tasks.
    while (leader_tasks + helper_tasks < 2) std::this_thread::yield();
  });
  EXPECT_EQ(leader_tasks, 1);
  EXPECT_EQ(helper_tasks, 1);
}

TEST(ThreadPoolTest, LentThreadsWorkUntilTheyAreReleased) {
  ThreadPool pool(1);
  for (int session = 0; session < 100; ++session) {
    const uint32_t number = pool.Lead(7);
    std::thread helper([&] { pool.Help(3, number, NoCall); });
    ExpectBothWork(pool);
    pool.Release();
    helper.join();
    EXPECT_EQ(pool.threads(), 1);
    pool.ParallelFor(3, [&](size_t, int thread) { EXPECT_EQ(thread, 7); });
  }
}

TEST(ThreadPoolTest, HelpComesToALoopUnderWay) {
  ThreadPool pool(1);
  // Two more threads than one: loops are handed out, not run in place.
  const uint32_t session = pool.Lead(0);
  std::thread first([&] { pool.Help(1, session, NoCall); });
  while (pool.threads() < 2) std::this_thread::yield();
  std::thread second;
  std::atomic<bool> second_came = false;
  pool.ParallelFor(3, [&](size_t task, int thread) {
    if (task == 0) second = std::thread([&] { pool.Help(2, session, NoCall); });
    if (thread == 2) second_came = true;
    while (!second_came) std::this_thread::yield();
  });
  pool.Release();
  first.join();
  second.join();
}

TEST(ThreadPoolTest, HelpThatComesAfterTheReleaseLeavesAtOnce) {
  ThreadPool pool(1);
  const uint32_t session = pool.Lead(0);
  pool.Release();
  pool.Help(1, session, NoCall);  // returns
  const uint32_t next = pool.Lead(0);
  EXPECT_NE(next, session);
  pool.Help(1, session, NoCall);
  EXPECT_EQ(pool.threads(), 1);
}

TEST(ThreadPoolTest, OneThreadGoesWhereItIsCalled) {
  ThreadPool pool(1);
  const uint32_t session = pool.Lead(0);
  std::atomic<bool> call = false;
  std::atomic<int> gone = 0;
  std::vector<std::thread> helpers;
  for (int number = 1; number <= 2; ++number) {
    helpers.emplace_back([&, number] {
      pool.Help(number, session, [&] { return call.exchange(false); });
      ++gone;
    });
  }
  while (pool.threads() < 3) std::this_thread::yield();
  call = true;
  while (gone == 0) pool.ParallelFor(2, [](size_t, int) {});
  for (int loop = 0; loop < 100; ++loop) {
    pool.ParallelFor(2, [](size_t, int) {});
  }
  EXPECT_FALSE(call);
  EXPECT_EQ(gone, 1);
  pool.Release();
  for (std::thread& helper : helpers) helper.join();
}

// Helpers come, and leave late, while sessions follow each other.
TEST(ThreadPoolTest, SessionsFollowEachOther) {
  ThreadPool pool(1);
  std::atomic<uint32_t> session = pool.Lead(0);
  std::atomic<bool> over = false;
  std::vector<std::thread> helpers;
  for (int number = 1; number <= 3; ++number) {
    helpers.emplace_back([&, number] {
      while (!over) pool.Help(number, session.load(), NoCall);
    });
  }
  std::vector<int> values(16, 0);
  std::vector<int> by_thread(4, 0);
  for (int i = 0; i < 2000; ++i) {
    for (int loop = 0; loop < 3; ++loop) {
      pool.ParallelFor(values.size(), [&](size_t task, int thread) {
        ++values[task];
        ++by_thread[static_cast<size_t>(thread)];
      });
    }
    pool.Release();
    session = pool.Lead(0);
  }
  over = true;
  pool.Release();
  for (std::thread& helper : helpers) helper.join();
  for (const int value : values) EXPECT_EQ(value, 6000);
  EXPECT_EQ(std::accumulate(by_thread.begin(), by_thread.end(), 0), 16 * 6000);
}

// Whoever runs the task that throws, the caller of the loop hears of it, and
// the pool goes on.
TEST(ThreadPoolTest, TheCallerGetsWhatATaskThrows) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    for (size_t bad = 0; bad < 100; ++bad) {
      std::atomic<int> calls = 0;
      EXPECT_THROW(pool.ParallelFor(100,
                                    [&](size_t task, int) {
                                      ++calls;
                                      if (task >= bad) throw std::bad_alloc();
                                    }),
                   std::bad_alloc);
      EXPECT_GT(calls, static_cast<int>(bad));
      std::atomic<int> later = 0;
      pool.ParallelFor(10, [&](size_t, int) { ++later; });
      EXPECT_EQ(later, 10);
    }
  }
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
