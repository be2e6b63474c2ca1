#include "server/rpc/message_shape.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "server/tasks/shared/task.h"
#include "tokenizer/text/unicode.h"

namespace deberta::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;

// As deep as Protobuf's own parser goes.
constexpr size_t kMaxDepth = 100;

class ShapeReader {
 public:
  explicit ShapeReader(std::string_view bytes)
      : bytes_(bytes),
        stream_(reinterpret_cast<const uint8_t*>(bytes.data()),
                static_cast<int>(bytes.size())) {}

  absl::StatusOr<MessageShape> Read(const Descriptor& type) {
    if (ReadFields(&type, /*group=*/0) &&
        stream_.CurrentPosition() == static_cast<int>(bytes_.size())) {
      return shape_;
    }
    if (not_utf8_.has_value()) {
      return InputError(Path(), absl::StrCat("expected UTF-8, got an invalid "
                                             "byte at offset ",
                                             *not_utf8_));
    }
    const std::string message =
        absl::StrCat("the request is no ", type.full_name(),
                     " message: it breaks at byte ", stream_.CurrentPosition());
    return path_.empty() ? absl::InvalidArgumentError(message)
                         : InputError(Path(), message);
  }

 private:
  struct Step {
    const FieldDescriptor* field = nullptr;
    size_t index = 0;  // of a repeated field
  };

  // Up to the end of the message, or of the group of that number. `type` is
  // null in what is unknown.
  bool ReadFields(const Descriptor* type, int group) {
    if (++depth_ > kMaxDepth) return false;
    // Elements so far of each field of the type.
    absl::InlinedVector<size_t, 16> counts(
        type == nullptr ? 0 : static_cast<size_t>(type->field_count()));
    while (const uint32_t tag = stream_.ReadTag()) {
      const int number = WireFormatLite::GetTagFieldNumber(tag);
      if (number == 0) return false;
      if (WireFormatLite::GetTagWireType(tag) ==
          WireFormatLite::WIRETYPE_END_GROUP) {
        --depth_;
        return number == group;
      }
      ++shape_.fields;
      const FieldDescriptor* field =
          type == nullptr ? nullptr : type->FindFieldByNumber(number);
      if (field != nullptr) {
        path_.push_back({field, counts[static_cast<size_t>(field->index())]++});
      }
      if (!ReadValue(field, tag)) return false;
      if (field != nullptr) path_.pop_back();
    }
    --depth_;
    return group == 0 && stream_.ConsumedEntireMessage();
  }

  bool ReadValue(const FieldDescriptor* field, uint32_t tag) {
    uint64_t varint = 0;
    uint64_t fixed64 = 0;
    uint32_t fixed32 = 0;
    switch (WireFormatLite::GetTagWireType(tag)) {
      case WireFormatLite::WIRETYPE_VARINT:
        return stream_.ReadVarint64(&varint);
      case WireFormatLite::WIRETYPE_FIXED64:
        return stream_.ReadLittleEndian64(&fixed64);
      case WireFormatLite::WIRETYPE_FIXED32:
        return stream_.ReadLittleEndian32(&fixed32);
      case WireFormatLite::WIRETYPE_START_GROUP:
        return ReadFields(nullptr, WireFormatLite::GetTagFieldNumber(tag));
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
        return ReadDelimited(field);
      default:
        return false;
    }
  }

  bool ReadDelimited(const FieldDescriptor* field) {
    uint32_t length = 0;
    if (!stream_.ReadVarint32(&length)) return false;
    const auto begin = static_cast<size_t>(stream_.CurrentPosition());
    if (length > bytes_.size() - begin ||
        (stream_.BytesUntilLimit() >= 0 &&
         length > static_cast<uint32_t>(stream_.BytesUntilLimit()))) {
      return false;
    }
    const auto size = static_cast<int>(length);
    if (field != nullptr && field->type() == FieldDescriptor::TYPE_MESSAGE) {
      const auto limit = stream_.PushLimit(size);
      const bool whole = ReadFields(field->message_type(), /*group=*/0);
      if (whole) stream_.PopLimit(limit);
      return whole;
    }
    if (field != nullptr && field->type() == FieldDescriptor::TYPE_STRING) {
      not_utf8_ = tokenizer::FindInvalidUtf8(bytes_.substr(begin, length));
      if (not_utf8_.has_value()) return false;
      shape_.longest_string = std::max(shape_.longest_string, size_t{length});
    }
    return stream_.Skip(size);
  }

  // Of the field that is read, with the index of each element of a list.
  std::string Path() const {
    std::string path;
    for (const Step& step : path_) {
      absl::StrAppend(&path, path.empty() ? "" : ".", step.field->name());
      if (step.field->is_repeated()) {
        absl::StrAppend(&path, "[", step.index, "]");
      }
    }
    return path;
  }

  const std::string_view bytes_;
  google::protobuf::io::CodedInputStream stream_;
  MessageShape shape_;
  std::vector<Step> path_;
  size_t depth_ = 0;
  std::optional<size_t> not_utf8_;  // offset within the field
};

}  // namespace

absl::StatusOr<MessageShape> ReadShape(std::string_view bytes,
                                       const Descriptor& type) {
  return ShapeReader(bytes).Read(type);
}

}  // namespace deberta::server
