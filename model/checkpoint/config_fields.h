// Typed reading of one JSON object's keys. Private to the checkpoint library.

#ifndef MODEL_CHECKPOINT_CONFIG_FIELDS_H_
#define MODEL_CHECKPOINT_CONFIG_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
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

// The configuration of an encoder alone: what it says of a head is not read.
// REQUIRES: an object.
absl::StatusOr<Config> ParseEncoderConfig(const Json& object);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_CONFIG_FIELDS_H_
