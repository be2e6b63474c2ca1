// JSON from files that may hold anything. Private to the checkpoint library.

#ifndef MODEL_CHECKPOINT_JSON_TEXT_H_
#define MODEL_CHECKPOINT_JSON_TEXT_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace deberta::model {

using Json = nlohmann::json;

// Nothing if `text` is not JSON or nests deeper than 32 levels: copying and
// printing a value recurse. Of keys given twice the last wins; one given twice
// at the top is left in `duplicate` if that is not null.
std::optional<Json> ParseJson(std::string_view text,
                              std::string* duplicate = nullptr);

// The value as ASCII JSON, short enough for a message.
std::string Shown(const Json& value);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_JSON_TEXT_H_
