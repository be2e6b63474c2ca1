#include "model/runtime/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <utility>

// From libgomp; clang has no omp.h without a second OpenMP runtime.
extern "C" void omp_set_num_threads(int threads);

namespace deberta::model {
namespace {

// About one wake-up of a sleeping thread: spinning longer costs more than it
// saves.
constexpr std::chrono::microseconds kSpin{50};
constexpr int kPausesBetweenClockReads = 32;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Spins until `value` differs from `old` or the spin time is over, then sleeps
// until it differs. Returns the new value.
uint32_t AwaitChange(const std::atomic<uint32_t>& value, uint32_t old) {
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < kPausesBetweenClockReads; ++i) {
      const uint32_t now = value.load(std::memory_order_acquire);
      if (now != old) return now;
      Pause();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

// oneDNN would otherwise start an OpenMP team for each primitive.
void UseOneOpenMpThread() { omp_set_num_threads(1); }

}  // namespace

ThreadPool::ThreadPool(int threads) : threads_(threads) {
  UseOneOpenMpThread();
  for (int thread = 1; thread < threads; ++thread) {
    workers_.emplace_back(
        [this, thread] { RunLoops(thread, 0, [] { return false; }); });
  }
}

ThreadPool::~ThreadPool() {
  Release();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::ParallelFor(size_t tasks, Body body) {
  // The pool may be used by another thread than the one that made it.
  UseOneOpenMpThread();
  if (threads() == 1 || tasks <= 1) {
    for (size_t task = 0; task < tasks; ++task) body(task, leader_);
    return;
  }
  body_ = &body;
  tasks_ = static_cast<uint32_t>(tasks);
  unfinished_.store(tasks_, std::memory_order_relaxed);
  const uint64_t loop =
      (unclaimed_.load(std::memory_order_relaxed) >> 32) + uint64_t{1};
  unclaimed_.store(loop << 32 | tasks_, std::memory_order_release);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  RunTasks(leader_);
  for (uint32_t left = unfinished_.load(std::memory_order_acquire);
       left != 0;) {
    left = AwaitChange(unfinished_, left);
  }
  if (has_thrown_.load(std::memory_order_relaxed)) {
    has_thrown_.store(false, std::memory_order_relaxed);
    std::rethrow_exception(std::exchange(thrown_, nullptr));
  }
}

void ThreadPool::ParallelForRanges(
    size_t n, size_t grain,
    absl::FunctionRef<void(size_t begin, size_t end, int thread)> body) {
  ParallelFor((n + grain - 1) / grain, [&](size_t task, int thread) {
    const size_t begin = task * grain;
    body(begin, std::min(n, begin + grain), thread);
  });
}

uint32_t ThreadPool::Lead(int thread) {
  leader_ = thread;
  return session_.load(std::memory_order_relaxed);
}

void ThreadPool::Help(int thread, uint32_t session,
                      absl::FunctionRef<bool()> called) {
  threads_.fetch_add(1, std::memory_order_relaxed);
  RunLoops(thread, session, called);
  threads_.fetch_sub(1, std::memory_order_relaxed);
}

void ThreadPool::Release() {
  session_.fetch_add(1, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
}

void ThreadPool::RunLoops(int thread, uint32_t session,
                          absl::FunctionRef<bool()> called) {
  UseOneOpenMpThread();
  uint32_t epoch = epoch_.load(std::memory_order_acquire);
  // Whoever misses the end of the session here has an epoch from before it,
  // and does not wait below.
  while (session_.load(std::memory_order_relaxed) == session) {
    if (called()) return;
    RunTasks(thread);
    epoch = AwaitChange(epoch_, epoch);
  }
}

void ThreadPool::RunTasks(int thread) {
  uint64_t state = unclaimed_.load(std::memory_order_acquire);
  while (static_cast<uint32_t>(state) != 0) {
    // The number of the loop is part of the compared value: a thread that was
    // put aside here cannot claim a task of a loop it has not seen.
    if (!unclaimed_.compare_exchange_weak(state, state - 1,
                                          std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
      continue;
    }
    // A claimed task keeps the loop alive, so its fields are stable here.
    RunTask(tasks_ - static_cast<uint32_t>(state), thread);
    if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      unfinished_.notify_one();
    }
    state = unclaimed_.load(std::memory_order_acquire);
  }
}

void ThreadPool::RunTask(size_t task, int thread) noexcept {
  try {
    (*body_)(task, thread);
  } catch (...) {
    if (!has_thrown_.exchange(true, std::memory_order_relaxed)) {
      thrown_ = std::current_exception();
    }
  }
}

}  // namespace deberta::model
