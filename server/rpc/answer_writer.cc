#include "server/rpc/answer_writer.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"

namespace deberta::server {
namespace {

using google::protobuf::internal::WireFormatLite;

constexpr size_t kSliceBytes = size_t{64} << 10;

// A slice that owns the bytes.
grpc::Slice ToSlice(std::string bytes) {
  auto owned = std::make_unique<std::string>(std::move(bytes));
  std::string* const data = owned.release();
  return grpc::Slice(
      data->data(), data->size(),
      [](void* string) { delete static_cast<std::string*>(string); }, data);
}

}  // namespace

std::string FieldHeader(int number, size_t size) {
  std::string header;
  google::protobuf::io::StringOutputStream stream(&header);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.WriteTag(WireFormatLite::MakeTag(
      number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
  coded.WriteVarint32(static_cast<uint32_t>(size));
  coded.Trim();
  return header;
}

void AnswerWriter::Append(const google::protobuf::MessageLite& part) {
  const size_t before = tail_.size();
  part.AppendToString(&tail_);
  bytes_ += tail_.size() - before;
  if (tail_.size() >= kSliceBytes) Flush();
}

void AnswerWriter::AppendElement(int number, std::vector<std::string> parts) {
  size_t size = 0;
  for (const std::string& part : parts) size += part.size();
  AppendBytes(FieldHeader(number, size));
  for (std::string& part : parts) AppendBytes(std::move(part));
}

void AnswerWriter::AppendBytes(std::string bytes) {
  bytes_ += bytes.size();
  if (bytes.size() < kSliceBytes) {
    tail_ += bytes;
    if (tail_.size() >= kSliceBytes) Flush();
    return;
  }
  Flush();
  slices_.push_back(ToSlice(std::move(bytes)));
}

void AnswerWriter::Flush() {
  if (tail_.empty()) return;
  if (tail_.size() >= kSliceBytes) tail_.shrink_to_fit();
  slices_.push_back(ToSlice(std::exchange(tail_, {})));
}

grpc::ByteBuffer AnswerWriter::Take() {
  Flush();
  const std::vector<grpc::Slice> slices = std::exchange(slices_, {});
  return grpc::ByteBuffer(slices.data(), slices.size());
}

}  // namespace deberta::server
