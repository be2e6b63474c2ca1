// Typed reading of one JSON object's keys. Private to the checkpoint library.

#ifndef MODEL_CHECKPOINT_CONFIG_FIELDS_H_
#define MODEL_CHECKPOINT_CONFIG_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "json/json.h"
#include "model/checkpoint/config.h"

namespace deberta::model {

using Json = json::Value;

// Whole numbers may be written as floats (768.0).
std::optional<int64_t> AsInteger(const Json& value);

// InvalidArgument where it is not JSON, or none of an object.
absl::StatusOr<Json> ParseObject(std::string_view text);

// Keeps the first thing wrong, so that callers check once at the end. A key
// that is absent or null takes its fallback (but for Bool); so does one that is
// refused.
class ConfigFields {
 public:
  // REQUIRES: `object` is a JSON object that outlives this.
  explicit ConfigFields(const Json& object) : object_(object) {}

  const absl::Status& status() const { return status_; }

  // Null where absent or null.
  const Json* Find(const char* key) const;

  void Refuse(const char* key, const std::string& expected,
              const std::string& got);

  int64_t Int(const char* key, int64_t fallback, int64_t least, int64_t most);
  float Real(const char* key, float fallback, double least, double most);
  // As Python's `if`: null and 0 are false, other numbers true.
  bool Bool(const char* key, bool fallback);
  std::string Text(const char* key, const char* fallback);
  Activation ActivationNamed(const char* key, const char* fallback);

 private:
  const Json& object_;
  absl::Status status_;
};

// The value of the name that stands at `key`, or nowhere (`fallback`). The
// first of `values` where it is none of these, which is refused.
template <typename Value, size_t kCount>
Value OneOf(ConfigFields& fields, const char* key, const char* fallback,
            const std::pair<const char*, Value> (&values)[kCount]) {
  const std::string text = fields.Text(key, fallback);
  std::string expected;
  for (const auto& [name, value] : values) {
    if (text == name) return value;
    absl::StrAppend(&expected, expected.empty() ? "" : ", ", name);
  }
  fields.Refuse(key, absl::StrCat("one of ", expected),
                json::Shown(Json(text)));
  return values[0].second;
}

// The configuration of an encoder alone: what it says of a head is not read.
// REQUIRES: an object.
absl::StatusOr<Config> ParseEncoderConfig(const Json& object);
// That of the object at `key`, of DeBERTa v2 if it does not say.
absl::StatusOr<Config> NestedEncoder(ConfigFields& fields, const char* key);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_CONFIG_FIELDS_H_
