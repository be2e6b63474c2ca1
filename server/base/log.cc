#include "server/base/log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/clock.h"
#include "nlohmann/json.hpp"
#include "server/base/clock.h"

namespace deberta::server {
namespace {

const char* Name(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

constexpr absl::Duration kLastWait = absl::Seconds(1);
// What a pipe that is ready takes without waiting.
constexpr size_t kStepBytes = 4096;

// Of what cannot be written any more, as to a pipe without a reader.
constexpr ssize_t kLost = -1;

// Waits until `descriptor` takes something and gives it a part of `text`.
// Returns how much, 0 where `timeout_ms` passed (-1: none), or kLost.
ssize_t WriteSome(int descriptor, std::string_view text, int timeout_ms) {
  if (descriptor < 0) return kLost;
  pollfd ready = {.fd = descriptor, .events = POLLOUT, .revents = 0};
  if (poll(&ready, 1, timeout_ms) <= 0) return 0;
  const ssize_t written =
      write(descriptor, text.data(), std::min(text.size(), kStepBytes));
  if (written >= 0) return written;
  return errno == EINTR || errno == EAGAIN ? 0 : kLost;
}

}  // namespace

void WriteLastLine(int descriptor, std::string_view message,
                   absl::Span<const LogField> fields) {
  const std::string line =
      FormatLogLine(absl::Now(), LogLevel::kError, message, fields);
  const absl::Time deadline = SteadyNow() + kLastWait;
  for (std::string_view left = line; !left.empty();) {
    const absl::Duration wait = deadline - SteadyNow();
    if (wait < absl::ZeroDuration()) return;
    const ssize_t written = WriteSome(
        descriptor, left, static_cast<int>(absl::ToInt64Milliseconds(wait)));
    if (written == kLost) return;
    left.remove_prefix(static_cast<size_t>(written));
  }
}

struct Log::State {
  State(int to, size_t bytes) : descriptor(to), capacity(bytes) {}

  const int descriptor;
  const size_t capacity;
  mutable Mutex mutex;
  CondVar changed;
  std::string waiting ABSL_GUARDED_BY(mutex);
  size_t waiting_lines ABSL_GUARDED_BY(mutex) = 0;
  size_t dropped ABSL_GUARDED_BY(mutex) = 0;
  size_t untold ABSL_GUARDED_BY(mutex) = 0;  // of those
  bool writing ABSL_GUARDED_BY(mutex) = false;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  bool has_thread ABSL_GUARDED_BY(mutex) = false;

  void Add(std::string line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (waiting.size() + line.size() > capacity) {
      ++dropped;
      ++untold;
      return;
    }
    if (untold > 0) {
      waiting += FormatLogLine(absl::Now(), LogLevel::kWarning,
                               "log lines were dropped",
                               {{"lines", static_cast<int64_t>(untold)}});
      untold = 0;
    }
    waiting += line;
    ++waiting_lines;
  }

  // Without a thread: what the descriptor takes now.
  void WriteNow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    while (!waiting.empty()) {
      const ssize_t written = WriteSome(descriptor, waiting, 0);
      if (written == 0) return;
      waiting.erase(
          0, written == kLost ? waiting.size() : static_cast<size_t>(written));
    }
  }

  // The thread's.
  void Run() {
    while (true) {
      std::string text;
      size_t lines = 0;
      {
        const MutexLock lock(&mutex);
        writing = false;
        changed.SignalAll();
        while (waiting.empty() && !stopping) changed.Wait(&mutex);
        if (waiting.empty()) return;
        text = std::exchange(waiting, {});
        lines = std::exchange(waiting_lines, 0);
        writing = true;
      }
      if (!WriteWhole(text)) {
        const MutexLock lock(&mutex);
        dropped += lines;
      }
    }
  }

  bool WriteWhole(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = WriteSome(descriptor, text, -1);
      if (written == kLost) return false;
      text.remove_prefix(static_cast<size_t>(written));
    }
    return true;
  }
};

Log::Log(int descriptor, size_t buffer_bytes)
    : state_(std::make_shared<State>(descriptor, buffer_bytes)) {
  try {
    std::thread([state = state_] { state->Run(); }).detach();
    const MutexLock lock(&state_->mutex);
    state_->has_thread = true;
  } catch (const std::system_error&) {
    // It writes for itself.
  }
}

Log::~Log() {
  Flush(kLastWait);
  const MutexLock lock(&state_->mutex);
  state_->stopping = true;
  state_->changed.SignalAll();
}

bool Log::Flush(absl::Duration timeout) {
  const absl::Time deadline = SteadyNow() + timeout;
  const MutexLock lock(&state_->mutex);
  if (!state_->has_thread) state_->WriteNow();
  while (!state_->waiting.empty() || state_->writing) {
    const absl::Duration left = deadline - SteadyNow();
    if (left <= absl::ZeroDuration() || !state_->has_thread) return false;
    state_->changed.WaitFor(&state_->mutex, left);
  }
  return true;
}

size_t Log::dropped_lines() const {
  const MutexLock lock(&state_->mutex);
  return state_->dropped;
}

std::string FormatLogLine(absl::Time time, LogLevel level,
                          std::string_view message,
                          absl::Span<const LogField> fields) {
  nlohmann::ordered_json line;
  line["ts"] =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
  line["level"] = Name(level);
  line["msg"] = message;
  for (const LogField& field : fields) {
    std::visit(
        [&](const auto& value) { line[std::string(field.name)] = value; },
        field.value);
  }
  return line.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

void Log::Write(LogLevel level, std::string_view message,
                absl::Span<const LogField> fields) {
  std::string line = FormatLogLine(absl::Now(), level, message, fields);
  const MutexLock lock(&state_->mutex);
  state_->Add(std::move(line));
  if (!state_->has_thread) return state_->WriteNow();
  state_->changed.SignalAll();
}

}  // namespace deberta::server
