#include "tools/client/command_parts.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace deberta::tools {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string ShortName(const EnumValueDescriptor& value) {
  constexpr std::string_view kUnspecified = "UNSPECIFIED";
  const size_t prefix =
      value.type()->value(0)->name().size() - kUnspecified.size();
  std::string name = value.name().substr(prefix);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return name;
}

absl::Status SetEnum(const std::string& name, const std::string& value,
                     Message* request) {
  if (value.empty()) return absl::OkStatus();
  const FieldDescriptor* field =
      request->GetDescriptor()->FindFieldByName(name);
  const EnumDescriptor& type = *field->enum_type();
  std::vector<std::string> names;
  for (int i = 1; i < type.value_count(); ++i) {
    names.push_back(ShortName(*type.value(i)));
    if (names.back() == value) {
      request->GetReflection()->SetEnum(request, field, type.value(i));
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--", name, ": expected one of ", absl::StrJoin(names, ", "),
                   "; got '", value, "'"));
}

std::string ToJson(const Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  // Strings from the wire are UTF-8, which is all that could fail here.
  (void)google::protobuf::util::MessageToJsonString(message, &json, options);
  return json;
}

std::string Score(float score) { return absl::StrFormat("%.4f", score); }

}  // namespace deberta::tools
