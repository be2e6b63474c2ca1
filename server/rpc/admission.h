// Which calls may enter the service, how many are inside, and the memory that
// they hold together.
//
// Starting -> open -> closed. Thread-safe.

#ifndef SERVER_RPC_ADMISSION_H_
#define SERVER_RPC_ADMISSION_H_

#include <atomic>
#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/memory_guard.h"
#include "server/base/mutex.h"
#include "server/batching/scheduler.h"
#include "server/models/catalog.h"

namespace deberta::server {

class Admission {
 public:
  // What a call works with; null while starting.
  struct Backend {
    const LiveCatalog* catalog = nullptr;
    Scheduler* scheduler = nullptr;
  };

  // A call that is inside; it leaves when this is destroyed, and what it held
  // is free then.
  class Entry {
   public:
    Entry() = default;  // outside
    Entry(Entry&& other) noexcept;
    Entry& operator=(Entry&& other) noexcept;
    ~Entry();

    // The call holds so many bytes from now on, in place of those before:
    //   InvalidArgument    more than one call may
    //   ResourceExhausted  others hold too much, or memory is short and the
    //                      call is new or large; it holds what it held
    // Outside nothing is counted.
    absl::Status Hold(size_t bytes);
    // No longer counted by unanswered(), though the answer is not sent yet.
    void Answered();

   private:
    friend class Admission;
    explicit Entry(Admission* admission) : admission_(admission) {}

    Admission* admission_ = nullptr;
    size_t held_ = 0;
    bool answered_ = false;
  };

  // `guard` outlives this; null: memory is never short.
  explicit Admission(const MemoryGuard* guard = nullptr) : guard_(guard) {}

  // Lets calls in, which may hold `max_bytes` together (see Cost). The backend
  // outlives every call.
  void Open(Backend backend, size_t max_bytes);
  // Refuses new calls.
  void Close();

  // Unavailable unless open. `backend` is set in both cases.
  absl::StatusOr<Entry> Enter(Backend* backend);

  // Bytes that one call may hold: three quarters of all.
  size_t max_call_bytes() const { return max_bytes_ / 4 * 3; }
  size_t held_bytes() const;
  // Calls that entered and were not Answered().
  size_t unanswered() const;
  // Whether all calls have left by `deadline`.
  bool WaitUntilEmpty(absl::Time deadline);

 private:
  enum class State { kStarting, kOpen, kClosed };

  // What calls that hold `bytes` may hold together: the last eighth is kept for
  // small calls, which large ones are not to shut out.
  size_t LimitFor(size_t bytes) const;
  bool IsSmall(size_t bytes) const { return bytes <= max_bytes_ / 64; }
  absl::Status Hold(size_t before, size_t bytes);
  void Answered();
  void Leave(size_t held);

  const MemoryGuard* const guard_;
  std::atomic<size_t> max_bytes_ = 0;  // 0 until Open()
  mutable Mutex mutex_;
  CondVar left_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kStarting;
  Backend backend_ ABSL_GUARDED_BY(mutex_);
  size_t unanswered_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t inside_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t held_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace deberta::server

#endif  // SERVER_RPC_ADMISSION_H_
