// Reading JSON of unknown shape without exceptions: the first thing that is not
// as expected is kept as the document's error, and every read after it gives an
// empty value. Callers read what they need and ask for the error once.

#ifndef TOKENIZER_FILES_JSON_READER_H_
#define TOKENIZER_FILES_JSON_READER_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace deberta::tokenizer {

// A value of a document, or the place where one is missing. Cheap to copy but
// for its path; refers to the document.
class JsonNode {
 public:
  JsonNode(const nlohmann::json* value, std::string path, absl::Status* error)
      : value_(value), path_(std::move(path)), error_(error) {}

  // False if the value is missing or null.
  bool present() const { return value_ != nullptr && !value_->is_null(); }
  bool is_string() const { return present() && value_->is_string(); }
  bool is_object() const { return present() && value_->is_object(); }

  // The member `key`, which may be missing. An error if this is no object.
  JsonNode At(std::string_view key) const;
  // The elements; an error if this is no array.
  std::vector<JsonNode> Elements() const;
  // The members in alphabetical order; an error if this is no object.
  std::vector<std::pair<std::string, JsonNode>> Members() const;

  // An error if this is missing or of another type.
  std::string String() const;
  bool Bool() const;
  int32_t Int32() const;
  double Number() const;

  // The same, but a missing or null value is `otherwise`.
  std::string StringOr(std::string_view otherwise) const;
  bool BoolOr(bool otherwise) const;

  // True if the member "type" is `type`; an error if it is anything else.
  bool IsOfType(std::string_view type) const;

  // An error if this is an object with a member not in `keys`, so that nothing
  // we do not know is passed over in silence.
  void AllowOnly(std::initializer_list<std::string_view> keys) const;

  // Notes that this is not `expected`, unless the document has an error.
  void Fail(std::string_view expected) const;

  // For long arrays and objects, which are read directly. Null if missing.
  const nlohmann::json* value() const { return value_; }
  bool ok() const { return error_->ok(); }

 private:
  const nlohmann::json* value_;
  std::string path_;
  absl::Status* error_;
};

// Immutable but for its error.
class JsonDocument {
 public:
  // `name` stands in messages. InvalidArgument if `bytes` are not JSON.
  static absl::StatusOr<JsonDocument> Parse(std::string name,
                                            std::string_view bytes);
  // The document {}, for a file that is not there.
  static JsonDocument Empty(std::string name);

  JsonNode root() const { return {value_.get(), name_ + ": ", error_.get()}; }
  // The first error of any read so far.
  const absl::Status& error() const { return *error_; }

 private:
  JsonDocument(std::string name, nlohmann::json value);

  std::string name_;
  std::unique_ptr<const nlohmann::json> value_;
  std::unique_ptr<absl::Status> error_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_JSON_READER_H_
