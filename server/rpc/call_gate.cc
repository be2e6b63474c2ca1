#include "server/rpc/call_gate.h"

#include "absl/strings/str_cat.h"
#include "server/base/error_reason.h"

namespace deberta::server {

void CallGate::Open(Backend backend) {
  MutexLock lock(&mutex_);
  if (state_ != State::kStarting) return;
  backend_ = backend;
  state_ = State::kOpen;
}

void CallGate::Close() {
  MutexLock lock(&mutex_);
  state_ = State::kClosed;
}

absl::Status CallGate::Enter(Backend* backend) {
  MutexLock lock(&mutex_);
  *backend = backend_;
  switch (state_) {
    case State::kStarting:
      return WithReason(
          absl::UnavailableError("the server is loading its models"),
          "STARTING");
    case State::kClosed:
      return absl::UnavailableError("the server is shutting down");
    case State::kOpen:
      break;
  }
  ++unanswered_;
  ++inside_;
  return absl::OkStatus();
}

void CallGate::Answered() {
  MutexLock lock(&mutex_);
  --unanswered_;
}

void CallGate::Leave() {
  MutexLock lock(&mutex_);
  if (--inside_ == 0) left_.SignalAll();
}

absl::Status CallGate::HoldTokens(size_t tokens) {
  MutexLock lock(&mutex_);
  if (held_tokens_ > 0 && (held_tokens_ >= kMaxHeldTokens ||
                           tokens > kMaxHeldTokens - held_tokens_)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("long calls hold ", held_tokens_, " tokens, with the ",
                     tokens, " of this one more than ", kMaxHeldTokens));
  }
  held_tokens_ += tokens;
  return absl::OkStatus();
}

void CallGate::ReleaseTokens(size_t tokens) {
  MutexLock lock(&mutex_);
  held_tokens_ -= tokens;
}

size_t CallGate::unanswered() const {
  MutexLock lock(&mutex_);
  return unanswered_;
}

bool CallGate::WaitUntilEmpty(absl::Time deadline) {
  MutexLock lock(&mutex_);
  while (inside_ > 0) {
    const absl::Duration remaining = deadline - absl::Now();
    if (remaining <= absl::ZeroDuration()) return false;
    left_.WaitFor(&mutex_, remaining);
  }
  return true;
}

}  // namespace deberta::server
