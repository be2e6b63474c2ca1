// The log: one JSON object a line, on stderr.
//
//   {"ts":"2026-01-31T12:00:00.123Z","level":"info","msg":"listening",...}
//
// Texts of requests never go here. Thread-safe.
//
// Who logs never waits for who reads: lines go into a bounded buffer, which a
// thread of its own writes. Those that find no room are counted, and a later
// line says how many they were.

#ifndef SERVER_BASE_LOG_H_
#define SERVER_BASE_LOG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/base/mutex.h"

namespace deberta::server {

enum class LogLevel { kInfo, kWarning, kError };

struct LogField {
  std::string_view name;
  std::variant<std::string_view, int64_t, double> value;
};

// The line, with its newline. Bytes that are not UTF-8 become U+FFFD.
std::string FormatLogLine(absl::Time time, LogLevel level,
                          std::string_view message,
                          absl::Span<const LogField> fields);

// Writes one line, of a process that has no log and ends. Waits a second at
// most for who reads.
void WriteLastLine(int descriptor, std::string_view message,
                   absl::Span<const LogField> fields);

class Log {
 public:
  static constexpr size_t kBufferBytes = size_t{256} << 10;

  // Writes to `descriptor`, which stays open. Where there is no thread to be
  // had, lines are written at once if there is room for them.
  explicit Log(int descriptor, size_t buffer_bytes = kBufferBytes);
  // Waits a second at most until all is written.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Whether all lines are written within `timeout`.
  bool Flush(absl::Duration timeout);
  size_t dropped_lines() const;

  void Info(std::string_view message, absl::Span<const LogField> fields = {}) {
    Write(LogLevel::kInfo, message, fields);
  }
  void Warning(std::string_view message,
               absl::Span<const LogField> fields = {}) {
    Write(LogLevel::kWarning, message, fields);
  }
  void Error(std::string_view message, absl::Span<const LogField> fields = {}) {
    Write(LogLevel::kError, message, fields);
  }

 private:
  void Write(LogLevel level, std::string_view message,
             absl::Span<const LogField> fields);

  struct State;
  // Shared with the thread, which a write that hangs may keep beyond the log.
  const std::shared_ptr<State> state_;
};

}  // namespace deberta::server

#endif  // SERVER_BASE_LOG_H_
