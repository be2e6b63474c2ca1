#include "tests/server/rpc/random_requests.h"

#include <iterator>
#include <memory>
#include <utility>

namespace deberta::server {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

RandomRequests::RandomRequests(uint32_t seed,
                               std::function<void(Message*)> adjust)
    : random_(seed), adjust_(std::move(adjust)) {}

std::string RandomRequests::Bytes(const Descriptor& type) {
  const std::unique_ptr<Message> message(
      google::protobuf::MessageFactory::generated_factory()
          ->GetPrototype(&type)
          ->New());
  Fill(message.get());
  if (adjust_ != nullptr) adjust_(message.get());
  std::string bytes = message->SerializePartialAsString();
  // Half as they are.
  for (size_t left = Below(2) * Below(6); left > 0; --left) Mutate(&bytes);
  return bytes;
}

std::string RandomRequests::Text() {
  static const char* const kTexts[] = {"",
                                       "labels",
                                       "text",
                                       "tagger",
                                       "reader",
                                       "filler",
                                       "judge",
                                       "chooser",
                                       "extractor",
                                       "ranker",
                                       "schemer",
                                       "[MASK]",
                                       "a [MASK] b",
                                       "{}",
                                       "is it {}?",
                                       "O",
                                       "\xff",
                                       "\xc3\xa9",
                                       "\xf0\x9f\x98\x80",
                                       "The quick brown fox",
                                       " ",
                                       "\xef\xb7\xba"};
  std::string text = kTexts[Below(std::size(kTexts))];
  if (Below(20) == 0) {
    const size_t times = Below(200);
    std::string many;
    for (size_t i = 0; i < times; ++i) many += text + " ";
    return many;
  }
  return text;
}

int64_t RandomRequests::Number() {
  static const int64_t kNumbers[] = {0,  1,    2,          3,          5,
                                     -1, 1000, 2147483647, -2147483648};
  return kNumbers[Below(std::size(kNumbers))];
}

void RandomRequests::Fill(Message* message) {
  const Descriptor& type = *message->GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    size_t count = Below(5) == 0 ? 0 : 1;
    if (field->is_repeated()) count = Below(4);
    for (; count > 0; --count) Set(message, field);
  }
}

void RandomRequests::Set(Message* message, const FieldDescriptor* field) {
  const google::protobuf::Reflection& set = *message->GetReflection();
  const bool many = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return Fill(many ? set.AddMessage(message, field)
                       : set.MutableMessage(message, field));
    case FieldDescriptor::CPPTYPE_STRING:
      return many ? set.AddString(message, field, Text())
                  : set.SetString(message, field, Text());
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!many) set.SetBool(message, field, Below(2) == 0);
      return;
    case FieldDescriptor::CPPTYPE_INT32:
      if (!many) set.SetInt32(message, field, static_cast<int32_t>(Number()));
      return;
    case FieldDescriptor::CPPTYPE_ENUM:
      if (!many) set.SetEnumValue(message, field, static_cast<int>(Below(6)));
      return;
    case FieldDescriptor::CPPTYPE_FLOAT:
      if (!many) set.SetFloat(message, field, static_cast<float>(Number()) / 2);
      return;
    default:
      return;
  }
}

void RandomRequests::Mutate(std::string* bytes) {
  const size_t at = Below(bytes->size() + 1);
  switch (Below(4)) {
    case 0:
      bytes->insert(at, 1, static_cast<char>(Below(256)));
      return;
    case 1:
      bytes->erase(at, 1 + Below(4));
      return;
    case 2:
      if (at < bytes->size())
        (*bytes)[at] = static_cast<char>((*bytes)[at] ^ (1 << Below(8)));
      return;
    default:
      bytes->insert(at, bytes->substr(Below(bytes->size() + 1), Below(40)));
  }
}

}  // namespace deberta::server
