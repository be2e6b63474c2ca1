#include "json/json.h"

#include <cmath>
#include <limits>
#include <optional>
#include <unordered_set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "json/scanner.h"

namespace deberta::json {
namespace {

// Reads one document without recursion. What returns false has left an error
// in the scanner.
class Parser {
 public:
  Parser(std::string_view text, const ParseOptions& options)
      : scanner_(text), options_(options) {}

  // Also keeps the keys of the top's member `name`.
  void KeepKeysOf(std::string_view name) { kept_name_ = name; }
  std::vector<std::string> TakeKeptKeys() { return std::move(kept_keys_); }

  absl::StatusOr<Value> Run();

 private:
  // An array or object that is being read.
  struct Frame {
    Value* value = nullptr;
    const std::string* key = nullptr;  // of the member being read
  };

  // Reads a scalar into `place`, or opens an array or object there.
  bool ReadValue(Value* place, bool* opened);
  bool ReadWord(Value* place);
  bool Open(Value* place, Value container, bool* opened);
  // Where the next value goes; null after the last.
  bool FirstPlace(Value** place);
  bool NextPlace(Value** place);
  bool MemberPlace(Value** place);
  void KeepKey(const std::string& key);
  absl::Status Error() const;

  Scanner scanner_;
  ParseOptions options_;
  std::vector<Frame> frames_;

  std::optional<std::string_view> kept_name_;
  std::vector<std::string> kept_keys_;
  std::unordered_set<std::string> kept_;
};

absl::StatusOr<Value> Parser::Run() {
  scanner_.SkipByteOrderMark();
  Value root;
  Value* place = &root;
  while (place != nullptr) {
    bool opened = false;
    if (!ReadValue(place, &opened)) return Error();
    if (!(opened ? FirstPlace(&place) : NextPlace(&place))) return Error();
  }
  scanner_.SkipSpace();
  if (!scanner_.AtEnd()) {
    scanner_.Expect("the end of the text");
    return Error();
  }
  return root;
}

absl::Status Parser::Error() const {
  constexpr size_t kLongestPath = 80;
  std::string path;
  for (const Frame& frame : frames_) {
    if (path.size() > kLongestPath) {
      path += "...";
      break;
    }
    if (frame.value->is_array()) {
      absl::StrAppend(&path, "[", frame.value->size() - 1, "]");
    } else if (frame.key != nullptr) {
      // A key as a message can show it, without its quotes.
      std::string key = Shown(*frame.key).substr(1);
      if (key.ends_with('"')) key.pop_back();
      absl::StrAppend(&path, path.empty() ? "" : ".", key);
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat(scanner_.Where(), path.empty() ? "" : ", in ", path, ": ",
                   scanner_.problem()));
}

bool Parser::ReadValue(Value* place, bool* opened) {
  scanner_.SkipSpace();
  const char first = scanner_.Peek();
  if (first == '{') return Open(place, Value::object(), opened);
  if (first == '[') return Open(place, Value::array(), opened);
  if (first == '"') {
    std::string text;
    if (!scanner_.ReadString(&text)) return false;
    *place = std::move(text);
    return true;
  }
  return ReadWord(place);
}

bool Parser::ReadWord(Value* place) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (scanner_.Skip("-Infinity")) {
    *place = -kInfinity;
    return true;
  }
  const char first = scanner_.Peek();
  if (first == '-' || (first >= '0' && first <= '9')) {
    return scanner_.ReadNumber(place);
  }
  if (scanner_.Skip("true")) {
    *place = true;
  } else if (scanner_.Skip("false")) {
    *place = false;
  } else if (scanner_.Skip("null")) {
    *place = nullptr;
  } else if (scanner_.Skip("NaN")) {
    *place = std::numeric_limits<double>::quiet_NaN();
  } else if (scanner_.Skip("Infinity")) {
    *place = kInfinity;
  } else {
    return scanner_.Expect("a value");
  }
  return true;
}

bool Parser::Open(Value* place, Value container, bool* opened) {
  if (frames_.size() == kMaxDepth) {
    return scanner_.Refuse(
        absl::StrCat("nested deeper than ", kMaxDepth, " levels"));
  }
  *place = std::move(container);
  frames_.push_back({.value = place});
  scanner_.Advance();
  *opened = true;
  return true;
}

bool Parser::FirstPlace(Value** place) {
  scanner_.SkipSpace();
  Value* value = frames_.back().value;
  if (scanner_.Peek() == (value->is_array() ? ']' : '}')) {
    return NextPlace(place);
  }
  if (!value->is_array()) return MemberPlace(place);
  *place = &value->emplace_back(nullptr);
  return true;
}

bool Parser::NextPlace(Value** place) {
  for (; !frames_.empty(); frames_.pop_back(), scanner_.Advance()) {
    scanner_.SkipSpace();
    Value* value = frames_.back().value;
    if (scanner_.Peek() == ',') {
      scanner_.Advance();
      if (!value->is_array()) return MemberPlace(place);
      *place = &value->emplace_back(nullptr);
      return true;
    }
    if (scanner_.Peek() != (value->is_array() ? ']' : '}')) {
      return scanner_.Expect(value->is_array() ? "',' or ']'" : "',' or '}'");
    }
  }
  *place = nullptr;
  return true;
}

bool Parser::MemberPlace(Value** place) {
  scanner_.SkipSpace();
  if (scanner_.Peek() != '"') return scanner_.Expect("a key in quotes");
  std::string key;
  if (!scanner_.ReadString(&key)) return false;
  if (kept_name_.has_value()) KeepKey(key);
  Frame& frame = frames_.back();
  auto& members = *frame.value->get_ptr<Value::object_t*>();
  const size_t before = members.size();
  // Keys often come sorted, and then belong at the end.
  const auto member = members.try_emplace(members.end(), std::move(key));
  frame.key = &member->first;
  if (options_.unique_keys && members.size() == before) {
    return scanner_.Refuse("the key is given twice");
  }
  scanner_.SkipSpace();
  if (!scanner_.Skip(":")) return scanner_.Expect("':'");
  *place = &member->second;
  return true;
}

void Parser::KeepKey(const std::string& key) {
  if (frames_.size() == 1 && key == *kept_name_) {
    kept_keys_.clear();
    kept_.clear();
  }
  if (frames_.size() == 2 && frames_[0].value->is_object() &&
      *frames_[0].key == *kept_name_ && kept_.insert(key).second) {
    kept_keys_.push_back(key);
  }
}

}  // namespace

absl::StatusOr<Value> Parse(std::string_view text,
                            const ParseOptions& options) {
  return Parser(text, options).Run();
}

std::vector<std::string> KeysInOrder(std::string_view text,
                                     std::string_view name) {
  Parser parser(text, {});
  parser.KeepKeysOf(name);
  if (!parser.Run().ok()) return {};
  return parser.TakeKeptKeys();
}

std::string Shown(const Value& value) {
  constexpr size_t kLongest = 60;
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  }
  std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true,
                                Value::error_handler_t::replace);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

}  // namespace deberta::json
