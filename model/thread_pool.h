// A few threads that share the tasks of one loop at a time.
//
// Tasks are handed out one by one, so that a thread the system has put aside
// holds up one task and not its whole share. Between loops a thread spins for
// some microseconds and then sleeps.

#ifndef MODEL_THREAD_POOL_H_
#define MODEL_THREAD_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"

namespace deberta::model {

class ThreadPool {
 public:
  using Body = absl::FunctionRef<void(size_t task, int thread)>;

  // The calling thread counts: `threads` - 1 are started. REQUIRES: threads
  // >= 1.
  explicit ThreadPool(int threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(task, thread) once for each task in [0, tasks), with `thread` in
  // [0, threads()), and returns when all have returned. Not reentrant; one
  // caller at a time. REQUIRES: tasks < 2^32.
  void ParallelFor(size_t tasks, Body body);

  // As above over [0, n) in runs of at most `grain`: body(begin, end, thread).
  void ParallelForRanges(
      size_t n, size_t grain,
      absl::FunctionRef<void(size_t begin, size_t end, int thread)> body);

 private:
  void RunWorker(int thread);
  // Runs tasks of the current loop until none is left to hand out.
  void RunTasks(int thread);

  // The loop: written by the caller before `unclaimed_` is published, read by
  // threads that have claimed one of its tasks.
  const Body* body_ = nullptr;
  uint32_t tasks_ = 0;
  // High half: number of the loop. Low half: its tasks not handed out yet.
  std::atomic<uint64_t> unclaimed_{0};
  std::atomic<uint32_t> unfinished_{0};
  // Grows with every loop; sleeping threads wait for it.
  std::atomic<uint32_t> epoch_{0};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> workers_;
};

}  // namespace deberta::model

#endif  // MODEL_THREAD_POOL_H_
