#include "server/base/log.h"

#include "absl/time/clock.h"
#include "nlohmann/json.hpp"

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

}  // namespace

std::string FormatLogLine(absl::Time time, LogLevel level,
                          std::string_view message,
                          std::initializer_list<LogField> fields) {
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
                std::initializer_list<LogField> fields) {
  const std::string line = FormatLogLine(absl::Now(), level, message, fields);
  MutexLock lock(&mutex_);
  std::fwrite(line.data(), 1, line.size(), stream_);
  std::fflush(stream_);
}

}  // namespace deberta::server
