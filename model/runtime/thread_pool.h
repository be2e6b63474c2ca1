// A few threads that share the tasks of one loop at a time: started with the
// pool, or lent by their owner while there is something to help with.
//
// Tasks are handed out one by one, so that a thread the system has put aside
// holds up one task and not its whole share. Between loops a thread spins for
// some microseconds and then sleeps.

#ifndef MODEL_RUNTIME_THREAD_POOL_H_
#define MODEL_RUNTIME_THREAD_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"

namespace deberta::model {

class ThreadPool {
 public:
  using Body = absl::FunctionRef<void(size_t task, int thread)>;

  // The calling thread counts: `threads` - 1 are started, numbered from 1.
  // REQUIRES: threads >= 1.
  explicit ThreadPool(int threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  // Threads at work: the caller of loops, those started, and those that help
  // just now.
  int threads() const { return threads_.load(std::memory_order_relaxed); }

  // Calls body(task, thread) once for each task in [0, tasks), with the number
  // of the thread that makes the call, and returns when all have returned.
  // Throws what one of them threw; of the others, all or some have been called.
  // Not reentrant; one caller at a time. REQUIRES: tasks < 2^32.
  void ParallelFor(size_t tasks, Body body);

  // As above over [0, n) in runs of at most `grain`: body(begin, end, thread).
  void ParallelForRanges(
      size_t n, size_t grain,
      absl::FunctionRef<void(size_t begin, size_t end, int thread)> body);

  // A pool made for one thread can be lent others, for a session at a time.
  // Lead() begins one: the caller of its loops has number `thread`. Returns
  // what Help() asks for. Calls of different threads need an order between
  // them, as ParallelFor does.
  uint32_t Lead(int thread);
  // Runs tasks of the session's loops, those under way included, until
  // Release(); not at all if that has been called. Also ends between two loops
  // once `called` says so. A thread that leaves late may run tasks of the next
  // session: so no two threads may ever share a number.
  void Help(int thread, uint32_t session, absl::FunctionRef<bool()> called);
  // Ends the session. Waits for nobody.
  void Release();

 private:
  // Help(), not counted in threads().
  void RunLoops(int thread, uint32_t session, absl::FunctionRef<bool()> called);
  // Runs tasks of the current loop until none is left to hand out.
  void RunTasks(int thread);
  void RunTask(size_t task, int thread) noexcept;

  // The loop: written by the caller before `unclaimed_` is published, read by
  // threads that have claimed one of its tasks.
  const Body* body_ = nullptr;
  uint32_t tasks_ = 0;
  // High half: number of the loop. Low half: its tasks not handed out yet.
  std::atomic<uint64_t> unclaimed_{0};
  std::atomic<uint32_t> unfinished_{0};
  // What a task of the loop threw: written by the thread that sets the flag,
  // read by the caller when none is unfinished.
  std::atomic<bool> has_thrown_{false};
  std::exception_ptr thrown_;
  // Grows with every loop; sleeping threads wait for it.
  std::atomic<uint32_t> epoch_{0};
  // Grows with every Release(), before `epoch_` does.
  std::atomic<uint32_t> session_{0};
  std::atomic<int> threads_;
  int leader_ = 0;  // number of the thread that calls ParallelFor
  std::vector<std::thread> workers_;
};

}  // namespace deberta::model

#endif  // MODEL_RUNTIME_THREAD_POOL_H_
