#include "server/inference/request_fields.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/descriptor.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr char kInputs[] = "inputs";
constexpr char kText[] = "text";
constexpr char kModel[] = "model";

bool IsText(const FieldDescriptor& field) {
  return field.type() == FieldDescriptor::TYPE_STRING;
}

// Where the texts of a tensor go.
struct Place {
  const FieldDescriptor* field = nullptr;  // of the request
  const FieldDescriptor* part = nullptr;   // text of its messages; null: itself
};

// The texts of `field`, which repeats messages: each is one tensor.
std::vector<Place> PartsOf(const FieldDescriptor& field) {
  std::vector<Place> places;
  const Descriptor& type = *field.message_type();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* part = type.field(i);
    if (IsText(*part) && !part->is_repeated()) places.push_back({&field, part});
  }
  return places;
}

std::string NameOf(const Place& place) {
  if (place.field->name() != kInputs) return place.field->name();
  return place.part == nullptr ? kText : place.part->name();
}

std::vector<Place> PlacesOf(const Descriptor& type) {
  std::vector<Place> places;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.name() == kModel) continue;
    if (IsText(field)) {
      places.push_back({&field, nullptr});
    } else if (field.is_repeated() && field.message_type() != nullptr) {
      const std::vector<Place> parts = PartsOf(field);
      // Of a list beside the inputs the first text is the name.
      const size_t count = field.name() == kInputs ? parts.size() : 1;
      places.insert(places.end(), parts.begin(),
                    parts.begin() + static_cast<std::ptrdiff_t>(count));
    }
  }
  return places;
}

absl::Status SetPlace(const Place& place, std::vector<std::string> values,
                      const std::string& error_field, Message* request) {
  const Reflection& reflection = *request->GetReflection();
  if (!place.field->is_repeated()) {
    if (values.size() != 1) {
      return InputError(error_field, absl::StrCat("expected one element, got ",
                                                  values.size()));
    }
    reflection.SetString(request, place.field, std::move(values[0]));
    return absl::OkStatus();
  }
  if (place.part == nullptr) {
    for (std::string& value : values)
      reflection.AddString(request, place.field, std::move(value));
    return absl::OkStatus();
  }
  const bool first = reflection.FieldSize(*request, place.field) == 0;
  if (!first && static_cast<size_t>(reflection.FieldSize(
                    *request, place.field)) != values.size()) {
    return InputError(
        error_field,
        absl::StrCat("expected as many elements as the tensors before it, ",
                     reflection.FieldSize(*request, place.field), ", got ",
                     values.size()));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    Message* element = first ? reflection.AddMessage(request, place.field)
                             : reflection.MutableRepeatedMessage(
                                   request, place.field, static_cast<int>(i));
    element->GetReflection()->SetString(element, place.part,
                                        std::move(values[i]));
  }
  return absl::OkStatus();
}

absl::Status Unsuitable(const std::string& name, const std::string& expected) {
  return InputError(absl::StrCat("parameters[\"", name, "\"]"),
                    absl::StrCat("expected ", expected));
}

std::optional<int64_t> IntegerOf(const inference::InferParameter& parameter) {
  constexpr auto kMost =
      static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (parameter.has_int64_param()) return parameter.int64_param();
  if (parameter.has_uint64_param() && parameter.uint64_param() <= kMost)
    return static_cast<int64_t>(parameter.uint64_param());
  return std::nullopt;
}

std::optional<float> FloatOf(const inference::InferParameter& parameter) {
  if (parameter.has_double_param())
    return static_cast<float>(parameter.double_param());
  if (const auto integer = IntegerOf(parameter); integer.has_value())
    return static_cast<float>(*integer);
  // KServe's parameters have no fractions.
  float value = 0;
  if (parameter.has_string_param() &&
      absl::SimpleAtof(parameter.string_param(), &value)) {
    return value;
  }
  return std::nullopt;
}

absl::Status SetInteger(const std::string& name,
                        const inference::InferParameter& parameter,
                        const FieldDescriptor* field, Message* request) {
  const std::optional<int64_t> value = IntegerOf(parameter);
  if (!value.has_value() || *value < std::numeric_limits<int32_t>::min() ||
      *value > std::numeric_limits<int32_t>::max()) {
    return Unsuitable(name, "an integer of 32 bits");
  }
  request->GetReflection()->SetInt32(request, field,
                                     static_cast<int32_t>(*value));
  return absl::OkStatus();
}

absl::Status SetEnum(const std::string& name,
                     const inference::InferParameter& parameter,
                     const FieldDescriptor* field, Message* request) {
  const auto& type = *field->enum_type();
  const auto* value = type.FindValueByName(parameter.string_param());
  if (value == nullptr) {
    std::vector<std::string> names;
    for (int i = 1; i < type.value_count(); ++i)
      names.push_back(type.value(i)->name());
    return Unsuitable(name, absl::StrCat("one of ", absl::StrJoin(names, ", "),
                                         ", as a text"));
  }
  request->GetReflection()->SetEnum(request, field, value);
  return absl::OkStatus();
}

// Fields that a parameter may set.
bool IsParameter(const FieldDescriptor& field) {
  return !field.is_repeated() && field.message_type() == nullptr &&
         field.name() != kModel;
}

}  // namespace

std::vector<std::string> TensorNames(const Descriptor& type) {
  std::vector<std::string> names;
  for (const Place& place : PlacesOf(type)) names.push_back(NameOf(place));
  return names;
}

absl::Status SetTexts(std::vector<TextTensor> tensors, Message* request) {
  const std::vector<Place> places = PlacesOf(*request->GetDescriptor());
  std::vector<bool> set(places.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::string error_field = absl::StrCat("inputs[", i, "]");
    size_t at = 0;
    while (at < places.size() && NameOf(places[at]) != tensors[i].name) ++at;
    if (at == places.size() && tensors.size() == 1) at = 0;
    if (at == places.size()) {
      return InputError(
          error_field + ".name",
          absl::StrCat(
              "expected some of ",
              absl::StrJoin(TensorNames(*request->GetDescriptor()), ", ")));
    }
    if (set[at])
      return InputError(error_field + ".name", "this tensor is there twice");
    set[at] = true;
    if (absl::Status s = SetPlace(places[at], std::move(tensors[i].values),
                                  error_field, request);
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

absl::Status SetParameter(const std::string& name,
                          const inference::InferParameter& parameter,
                          Message* request) {
  const Descriptor& type = *request->GetDescriptor();
  const FieldDescriptor* field = type.FindFieldByName(name);
  if (field == nullptr || !IsParameter(*field)) {
    std::vector<std::string> names = {"task"};
    for (int i = 0; i < type.field_count(); ++i) {
      if (IsParameter(*type.field(i))) names.push_back(type.field(i)->name());
    }
    return InputError("parameters", absl::StrCat("expected some of ",
                                                 absl::StrJoin(names, ", ")));
  }
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return SetInteger(name, parameter, field, request);
    case FieldDescriptor::CPPTYPE_ENUM:
      return SetEnum(name, parameter, field, request);
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!parameter.has_bool_param()) return Unsuitable(name, "a bool");
      request->GetReflection()->SetBool(request, field, parameter.bool_param());
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_FLOAT: {
      const std::optional<float> value = FloatOf(parameter);
      if (!value.has_value()) return Unsuitable(name, "a number");
      request->GetReflection()->SetFloat(request, field, *value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_STRING:
      if (!parameter.has_string_param()) return Unsuitable(name, "a text");
      request->GetReflection()->SetString(request, field,
                                          parameter.string_param());
      return absl::OkStatus();
    default:
      return absl::InternalError(absl::StrCat("no parameter can set ", name));
  }
}

}  // namespace deberta::server
