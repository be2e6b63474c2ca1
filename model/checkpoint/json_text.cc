#include "model/checkpoint/json_text.h"

#include <set>
#include <utility>

namespace deberta::model {

std::optional<Json> ParseJson(std::string_view text, std::string* duplicate) {
  constexpr int kMaxDepth = 32;
  bool too_deep = false;
  std::set<std::string> names;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > kMaxDepth) too_deep = true;
    if (duplicate != nullptr && depth == 1 &&
        event == Json::parse_event_t::key &&
        !names.insert(value.get<std::string>()).second) {
      *duplicate = value.get<std::string>();
    }
    return !too_deep;
  };
  Json value =
      Json::parse(text.begin(), text.end(), watch, /*allow_exceptions=*/false);
  if (too_deep || value.is_discarded()) return std::nullopt;
  return value;
}

std::string Shown(const Json& value) {
  constexpr size_t kLongest = 60;
  std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true,
                                Json::error_handler_t::replace);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

}  // namespace deberta::model
