#include "server/rpc/process_messages.h"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "deberta/v1/deberta.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "server/rpc/answer_writer.h"
#include "tokenizer/text/unicode.h"

namespace deberta::server {
namespace {

using google::protobuf::internal::WireFormatLite;

struct MethodField {
  Method method;
  int number;  // of the request, and of the answer
};
constexpr std::array<MethodField, 10> kFields = {{
    {Method::kClassify, v1::ProcessRequest::kClassifyFieldNumber},
    {Method::kTagTokens, v1::ProcessRequest::kTagTokensFieldNumber},
    {Method::kAnswerQuestion, v1::ProcessRequest::kAnswerQuestionFieldNumber},
    {Method::kFillMask, v1::ProcessRequest::kFillMaskFieldNumber},
    {Method::kClassifyZeroShot,
     v1::ProcessRequest::kClassifyZeroShotFieldNumber},
    {Method::kEncode, v1::ProcessRequest::kEncodeFieldNumber},
    {Method::kTokenize, v1::ProcessRequest::kTokenizeFieldNumber},
    {Method::kExtractEntities, v1::ProcessRequest::kExtractEntitiesFieldNumber},
    {Method::kRerank, v1::ProcessRequest::kRerankFieldNumber},
    {Method::kExtractStructured,
     v1::ProcessRequest::kExtractStructuredFieldNumber},
}};

std::optional<Method> MethodOf(int number) {
  for (const MethodField& field : kFields) {
    if (field.number == number) return field.method;
  }
  return std::nullopt;
}

int NumberOf(Method method) {
  for (const MethodField& field : kFields) {
    if (field.method == method) return field.number;
  }
  return 0;
}

absl::Status NoMessage() {
  return absl::InvalidArgumentError(
      "the bytes are no deberta.v1.ProcessRequest message");
}

grpc::ByteBuffer Wrapped(std::string_view id, int number,
                         const std::vector<grpc::Slice>& parts) {
  size_t bytes = 0;
  for (const grpc::Slice& part : parts) bytes += part.size();
  const std::string header = absl::StrCat(
      FieldHeader(v1::ProcessResponse::kIdFieldNumber, id.size()),
      absl::string_view(id.data(), id.size()), FieldHeader(number, bytes));
  std::vector<grpc::Slice> slices = {grpc::Slice(header)};
  slices.insert(slices.end(), parts.begin(), parts.end());
  return grpc::ByteBuffer(slices.data(), slices.size());
}

}  // namespace

absl::StatusOr<ProcessItem> ReadProcessItem(const grpc::Slice& message) {
  google::protobuf::io::CodedInputStream stream(
      message.begin(), static_cast<int>(message.size()));
  ProcessItem item;
  while (const uint32_t tag = stream.ReadTag()) {
    const int number = WireFormatLite::GetTagFieldNumber(tag);
    const std::optional<Method> method = MethodOf(number);
    const bool known =
        number == v1::ProcessRequest::kIdFieldNumber || method.has_value();
    if (!known) {
      if (!WireFormatLite::SkipField(&stream, tag)) return NoMessage();
      continue;
    }
    uint32_t length = 0;
    if (WireFormatLite::GetTagWireType(tag) !=
            WireFormatLite::WIRETYPE_LENGTH_DELIMITED ||
        !stream.ReadVarint32(&length)) {
      return NoMessage();
    }
    const auto begin = static_cast<size_t>(stream.CurrentPosition());
    if (length > message.size() - begin ||
        !stream.Skip(static_cast<int>(length))) {
      return NoMessage();
    }
    if (method.has_value()) {
      if (item.method.has_value()) {
        return absl::InvalidArgumentError(
            "request: expected one in each message, got several");
      }
      item.method = method;
      const grpc::Slice request = message.sub(begin, begin + length);
      item.request = grpc::ByteBuffer(&request, 1);
    } else {
      item.id.assign(reinterpret_cast<const char*>(message.begin()) + begin,
                     length);
    }
  }
  if (!stream.ConsumedEntireMessage()) return NoMessage();
  if (item.id.size() > kMaxProcessIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("id: expected at most ", kMaxProcessIdBytes,
                     " bytes, got ", item.id.size()));
  }
  if (tokenizer::FindInvalidUtf8(item.id).has_value())
    return absl::InvalidArgumentError("id: expected UTF-8");
  return item;
}

grpc::ByteBuffer ProcessAnswer(std::string_view id, Method method,
                               const grpc::ByteBuffer& answer) {
  std::vector<grpc::Slice> parts;
  answer.Dump(&parts);
  return Wrapped(id, NumberOf(method), parts);
}

grpc::ByteBuffer ProcessFailure(std::string_view id,
                                const grpc::Status& status) {
  v1::ProcessError error;
  error.set_code(status.error_code());
  error.set_message(status.error_message());
  error.set_details(status.error_details());
  return Wrapped(id, v1::ProcessResponse::kErrorFieldNumber,
                 {grpc::Slice(error.SerializeAsString())});
}

}  // namespace deberta::server
