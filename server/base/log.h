// The log: one JSON object a line, on stderr.
//
//   {"ts":"2026-01-31T12:00:00.123Z","level":"info","msg":"listening",...}
//
// Texts of requests never go here. Thread-safe.

#ifndef SERVER_BASE_LOG_H_
#define SERVER_BASE_LOG_H_

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "absl/time/time.h"
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
                          std::initializer_list<LogField> fields);

class Log {
 public:
  // `stream` outlives the log.
  explicit Log(std::FILE* stream) : stream_(stream) {}

  void Info(std::string_view message,
            std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kInfo, message, fields);
  }
  void Warning(std::string_view message,
               std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kWarning, message, fields);
  }
  void Error(std::string_view message,
             std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kError, message, fields);
  }

 private:
  void Write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields);

  Mutex mutex_;  // keeps lines whole
  std::FILE* const stream_;
};

}  // namespace deberta::server

#endif  // SERVER_BASE_LOG_H_
