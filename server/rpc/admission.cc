#include "server/rpc/admission.h"

#include <malloc.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/clock.h"
#include "server/base/error_reason.h"

namespace deberta::server {
namespace {

// The allocator keeps what a large call gave back, unless it is told not to.
constexpr size_t kReturnedBytes = size_t{8} << 20;

}  // namespace

Admission::Entry::Entry(Entry&& other) noexcept
    : admission_(std::exchange(other.admission_, nullptr)),
      held_(std::exchange(other.held_, 0)),
      answered_(other.answered_) {}

Admission::Entry& Admission::Entry::operator=(Entry&& other) noexcept {
  std::swap(admission_, other.admission_);
  std::swap(held_, other.held_);
  std::swap(answered_, other.answered_);
  return *this;
}

Admission::Entry::~Entry() {
  Answered();
  if (admission_ == nullptr) return;
  if (held_ >= kReturnedBytes) malloc_trim(0);
  admission_->Leave(held_);
}

absl::Status Admission::Entry::Hold(size_t bytes) {
  if (admission_ == nullptr || bytes == held_) return absl::OkStatus();
  absl::Status status = admission_->Hold(held_, bytes);
  if (status.ok()) held_ = bytes;
  return status;
}

void Admission::Entry::Answered() {
  if (admission_ == nullptr) return;
  if (!std::exchange(answered_, true)) admission_->Answered();
}

void Admission::Open(Backend backend, size_t max_bytes) {
  MutexLock lock(&mutex_);
  if (state_ != State::kStarting) return;
  max_bytes_ = max_bytes;
  backend_ = backend;
  state_ = State::kOpen;
}

void Admission::Close() {
  MutexLock lock(&mutex_);
  state_ = State::kClosed;
}

absl::StatusOr<Admission::Entry> Admission::Enter(Backend* backend) {
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
  return Entry(this);
}

size_t Admission::LimitFor(size_t bytes) const {
  return IsSmall(bytes) ? max_bytes_.load() : max_bytes_ / 8 * 7;
}

absl::Status Admission::Hold(size_t before, size_t bytes) {
  if (bytes > max_call_bytes()) {
    return absl::InvalidArgumentError(
        absl::StrCat("would take about ", bytes, " bytes of memory, one call ",
                     "may take ", max_call_bytes()));
  }
  // Those inside may go on with what is little.
  if (guard_ != nullptr && guard_->is_short() && bytes > before &&
      (before == 0 || !IsSmall(bytes))) {
    return WithReason(
        absl::ResourceExhaustedError("the process is near its memory limit"),
        "MEMORY_FULL");
  }
  MutexLock lock(&mutex_);
  const size_t others = held_ - before;
  if (bytes > before && others + bytes > LimitFor(bytes)) {
    return WithReason(
        absl::ResourceExhaustedError(absl::StrCat(
            "the calls inside hold ", others, " bytes of memory, with about ",
            bytes, " of this one more than ", LimitFor(bytes))),
        "MEMORY_FULL");
  }
  held_ = others + bytes;
  return absl::OkStatus();
}

void Admission::Answered() {
  MutexLock lock(&mutex_);
  --unanswered_;
}

void Admission::Leave(size_t held) {
  MutexLock lock(&mutex_);
  held_ -= held;
  if (--inside_ == 0) left_.SignalAll();
}

size_t Admission::held_bytes() const {
  MutexLock lock(&mutex_);
  return held_;
}

size_t Admission::unanswered() const {
  MutexLock lock(&mutex_);
  return unanswered_;
}

bool Admission::WaitUntilEmpty(absl::Time deadline) {
  MutexLock lock(&mutex_);
  while (inside_ > 0) {
    const absl::Duration remaining = deadline - SteadyNow();
    if (remaining <= absl::ZeroDuration()) return false;
    left_.WaitFor(&mutex_, remaining);
  }
  return true;
}

}  // namespace deberta::server
