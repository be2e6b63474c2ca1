// Which calls may enter the service, and how many are inside.
//
// Starting -> open -> closed. Thread-safe.

#ifndef SERVER_RPC_CALL_GATE_H_
#define SERVER_RPC_CALL_GATE_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/batching/scheduler.h"
#include "server/models/catalog.h"

namespace deberta::server {

class CallGate {
 public:
  // What a call works with; null while starting.
  struct Backend {
    const Catalog* catalog = nullptr;
    Scheduler* scheduler = nullptr;
  };

  // Lets calls in. The backend outlives every call.
  void Open(Backend backend);
  // Refuses new calls.
  void Close();

  // OK if the call is in; it must be Answered(), and Leave() when the answer is
  // sent. Else Unavailable. `backend` is set in both cases.
  absl::Status Enter(Backend* backend);
  void Answered();
  void Leave();

  // For a call that is computed in several rounds, of which the queue bounds
  // but one: OK if such calls hold at most kMaxHeldTokens together or this is
  // the only one, else ResourceExhausted. What was held must be released.
  absl::Status HoldTokens(size_t tokens);
  void ReleaseTokens(size_t tokens);

  // About 20 bytes each, and their texts.
  static constexpr size_t kMaxHeldTokens = size_t{1} << 22;

  // Calls that entered and were not Answered().
  size_t unanswered() const;
  // Whether all calls have left by `deadline`.
  bool WaitUntilEmpty(absl::Time deadline);

 private:
  enum class State { kStarting, kOpen, kClosed };

  mutable Mutex mutex_;
  CondVar left_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kStarting;
  Backend backend_ ABSL_GUARDED_BY(mutex_);
  size_t unanswered_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t inside_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t held_tokens_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace deberta::server

#endif  // SERVER_RPC_CALL_GATE_H_
