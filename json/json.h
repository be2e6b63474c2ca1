// JSON as Python writes it, which is what model directories hold: RFC 8259 and
// the numbers NaN, Infinity and -Infinity. A byte order mark before the text is
// passed over.

#ifndef JSON_JSON_H_
#define JSON_JSON_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace deberta::json {

// Objects are sorted by key; numbers may be infinite or NaN.
using Value = nlohmann::json;

// Copying and printing a value recurse.
inline constexpr size_t kMaxDepth = 128;

struct ParseOptions {
  // A key that an object names twice is an error; else its last value wins.
  bool unique_keys = false;
};

// In time linear in `text` but for the sorting of keys. InvalidArgument where
// it is not JSON, not UTF-8 or nests deeper than kMaxDepth, with the place:
// "line 3, column 9, in model.vocab: expected ...". Columns count characters
// from 1; the place in the document is left out at its top.
absl::StatusOr<Value> Parse(std::string_view text,
                            const ParseOptions& options = {});

// The keys of the object that is member `name` of the object `text`, each once,
// in the order of their first appearance; none if there is no such object.
std::vector<std::string> KeysInOrder(std::string_view text,
                                     std::string_view name);

// The value as ASCII JSON, short enough for a message.
std::string Shown(const Value& value);

}  // namespace deberta::json

#endif  // JSON_JSON_H_
