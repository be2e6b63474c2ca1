#include "tokenizer/files/json_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "json/json.h"
#include "tokenizer/text/excerpt.h"

namespace deberta::tokenizer {
namespace {

using Json = json::Value;

absl::string_view ToAbsl(std::string_view text) {
  return {text.data(), text.size()};
}

// What a value is, short enough for a message. Keys and strings of a parsed
// document are valid UTF-8.
std::string Describe(const Json* value) {
  constexpr size_t kMaxBytes = 60;
  if (value == nullptr) return "nothing";
  if (const auto* text = value->get_ptr<const std::string*>()) {
    if (text->size() <= kMaxBytes) return absl::StrCat("\"", *text, "\"");
    return absl::StrCat("a string of ", text->size(), " bytes");
  }
  if (value->is_array() || value->is_object()) {
    return absl::StrCat(value->is_array() ? "an array" : "an object", " of ",
                        value->size());
  }
  return json::Shown(*value);
}

}  // namespace

void JsonNode::Fail(std::string_view expected) const {
  if (!error_->ok()) return;
  *error_ = absl::InvalidArgumentError(
      absl::StrCat(path_, path_.ends_with(": ") ? "" : ": ", "expected ",
                   ToAbsl(expected), ", got ", Describe(value_)));
}

JsonNode JsonNode::At(std::string_view key) const {
  // "file: a.b" for members, "file: a.b[2]" for elements.
  const bool root = path_.ends_with(": ");
  JsonNode child(nullptr, absl::StrCat(path_, root ? "" : ".", Excerpt(key)),
                 error_);
  if (!is_object()) {
    Fail("an object");
    return child;
  }
  if (const auto found = value_->find(std::string(key));
      found != value_->end()) {
    child.value_ = &*found;
  }
  return child;
}

std::vector<JsonNode> JsonNode::Elements() const {
  std::vector<JsonNode> elements;
  if (!present() || !value_->is_array()) {
    Fail("an array");
    return elements;
  }
  for (const Json& element : *value_) {
    elements.emplace_back(
        &element, absl::StrCat(path_, "[", elements.size(), "]"), error_);
  }
  return elements;
}

std::vector<std::pair<std::string, JsonNode>> JsonNode::Members() const {
  std::vector<std::pair<std::string, JsonNode>> members;
  if (!is_object()) {
    Fail("an object");
    return members;
  }
  for (auto member = value_->begin(); member != value_->end(); ++member) {
    members.emplace_back(member.key(), At(member.key()));
  }
  return members;
}

std::string JsonNode::String() const {
  if (is_string()) return *value_->get_ptr<const std::string*>();
  Fail("a string");
  return {};
}

bool JsonNode::Bool() const {
  if (present() && value_->is_boolean()) {
    return *value_->get_ptr<const bool*>();
  }
  Fail("true or false");
  return false;
}

int32_t JsonNode::Int32() const {
  // Whole numbers from 0 on are unsigned in this library.
  if (present() && value_->is_number_unsigned()) {
    const uint64_t number = *value_->get_ptr<const uint64_t*>();
    if (number <= uint64_t{std::numeric_limits<int32_t>::max()}) {
      return static_cast<int32_t>(number);
    }
  }
  Fail("a whole number from 0 to 2147483647");
  return 0;
}

double JsonNode::Number() const {
  if (present() && value_->is_number()) {
    const double number = value_->get<double>();
    if (std::isfinite(number)) return number;
  }
  Fail("a finite number");
  return 0;
}

std::string JsonNode::StringOr(std::string_view otherwise) const {
  return present() ? String() : std::string(otherwise);
}

bool JsonNode::BoolOr(bool otherwise) const {
  return present() ? Bool() : otherwise;
}

bool JsonNode::IsOfType(std::string_view type) const {
  const JsonNode name = At("type");
  if (name.is_string() && name.String() == type) return true;
  name.Fail(
      absl::StrCat("\"", ToAbsl(type), "\" (nothing else is supported here)"));
  return false;
}

void JsonNode::AllowOnly(std::initializer_list<std::string_view> keys) const {
  for (const auto& [key, member] : Members()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      member.Fail("no such field: it is not supported");
    }
  }
}

JsonDocument::JsonDocument(std::string name, Json value)
    : name_(std::move(name)),
      value_(std::make_unique<const Json>(std::move(value))),
      error_(std::make_unique<absl::Status>()) {}

absl::StatusOr<JsonDocument> JsonDocument::Parse(std::string name,
                                                 std::string_view bytes) {
  absl::StatusOr<Json> value = json::Parse(bytes);
  if (!value.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": not valid JSON: ", value.status().message()));
  }
  return JsonDocument(std::move(name), *std::move(value));
}

JsonDocument JsonDocument::Empty(std::string name) {
  return JsonDocument(std::move(name), Json::object());
}

}  // namespace deberta::tokenizer
