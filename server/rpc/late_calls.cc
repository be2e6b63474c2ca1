#include "server/rpc/late_calls.h"

#include <utility>

#include "server/base/clock.h"

namespace deberta::server {

LateCalls::Entry::~Entry() {
  if (calls_ != nullptr) calls_->Remove(this);
}

LateCalls::LateCalls(absl::Duration time, std::function<void()> on_late)
    : time_(time),
      on_late_(std::move(on_late)),
      thread_([this] { RunThread(); }) {}

LateCalls::~LateCalls() {
  {
    const MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.Signal();
  }
  thread_.join();
}

void LateCalls::Add(const grpc::ServerContextBase* context, Entry* entry) {
  const MutexLock lock(&mutex_);
  entry->calls_ = this;
  entry->context_ = context;
  entry->deadline_ = SteadyNow() + time_;
  entry->previous_ = last_;
  (last_ == nullptr ? first_ : last_->next_) = entry;
  last_ = entry;
  if (asleep_) changed_.Signal();
}

void LateCalls::Remove(Entry* entry) {
  const MutexLock lock(&mutex_);
  if (entry->context_ != nullptr) Unlink(entry);
}

void LateCalls::Unlink(Entry* entry) {
  (entry->previous_ == nullptr ? first_ : entry->previous_->next_) =
      entry->next_;
  (entry->next_ == nullptr ? last_ : entry->next_->previous_) =
      entry->previous_;
  entry->context_ = nullptr;
}

void LateCalls::RunThread() {
  MutexLock lock(&mutex_);
  while (!stopping_) {
    // Calls that are over in time wake nobody: this looks again when the first
    // of them would have been late.
    const absl::Time now = SteadyNow();
    while (first_ != nullptr && first_->deadline_ <= now) {
      Entry* const late = first_;
      // gRPC tells the call on another thread, which waits for this mutex if
      // it destroys the entry.
      late->context_->TryCancel();
      Unlink(late);
      on_late_();
    }
    asleep_ = first_ == nullptr;
    changed_.WaitFor(
        &mutex_, asleep_ ? absl::InfiniteDuration() : first_->deadline_ - now);
    // A call for which it was woken is most often over at once.
    if (asleep_ && !stopping_) {
      asleep_ = false;
      changed_.WaitFor(&mutex_, time_);
    }
  }
}

}  // namespace deberta::server
