// How urgent a call is among those that wait.

#ifndef SERVER_BASE_PRIORITY_H_
#define SERVER_BASE_PRIORITY_H_

#include <optional>
#include <string_view>

namespace deberta::server {

enum class Priority { kHigh, kNormal, kLow };  // in falling order

// Of "low", "normal" or "high"; none for anything else.
inline std::optional<Priority> ParsePriority(std::string_view name) {
  if (name == "low") return Priority::kLow;
  if (name == "normal") return Priority::kNormal;
  if (name == "high") return Priority::kHigh;
  return std::nullopt;
}

}  // namespace deberta::server

#endif  // SERVER_BASE_PRIORITY_H_
