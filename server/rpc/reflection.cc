#include "server/rpc/reflection.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/impl/codegen/server_callback_handlers.h"
#include "grpcpp/impl/rpc_service_method.h"
#include "grpcpp/support/server_callback.h"
#include "server/base/thrown.h"
#include "server/rpc/refused_stream.h"
#include "server/rpc/status.h"

namespace deberta::server {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

constexpr const char* kServices[] = {
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection"};
constexpr size_t kMostQuestionBytes = 4096;
constexpr char kMethod[] = "ServerReflectionInfo";

// The file, and before it those that it needs.
void AppendFile(const FileDescriptor& file, std::set<std::string>* seen,
                grpc::reflection::v1::FileDescriptorResponse* response) {
  if (!seen->insert(std::string(file.name())).second) return;
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  *response->add_file_descriptor_proto() = proto.SerializeAsString();
  for (int i = 0; i < file.dependency_count(); ++i)
    AppendFile(*file.dependency(i), seen, response);
}

void SetFile(const FileDescriptor* file, ServerReflectionResponse* response) {
  if (file == nullptr) {
    response->mutable_error_response()->set_error_code(
        grpc::StatusCode::NOT_FOUND);
    response->mutable_error_response()->set_error_message("not found");
    return;
  }
  std::set<std::string> seen;
  AppendFile(*file, &seen, response->mutable_file_descriptor_response());
}

// The service's messages have no extensions.
void SetNoExtension(const std::string& type,
                    ServerReflectionResponse* response) {
  if (DescriptorPool::generated_pool()->FindMessageTypeByName(type) == nullptr)
    return SetFile(nullptr, response);
  response->mutable_all_extension_numbers_response()->set_base_type_name(type);
}

}  // namespace

// Answers, then reads the next question: never more than one is held.
class Reflection::Stream final
    : public grpc::ServerBidiReactor<ServerReflectionRequest,
                                     ServerReflectionResponse> {
 public:
  Stream(Reflection* reflection, const grpc::CallbackServerContext* context)
      : reflection_(reflection) {
    if (++reflection_->streams_ > kMostStreams) {
      Refuse("too many reflection streams are open");
      return;
    }
    reflection_->late_.Add(context, &late_);
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    // The answer repeats the question.
    if (request_.ByteSizeLong() > kMostQuestionBytes)
      return Refuse("the question is too long");
    if (++questions_ > kMostQuestions)
      return Refuse("too many questions on one reflection stream");
    const absl::Status answered = Guarded([this] {
      response_ = reflection_->Answer(request_);
      return absl::OkStatus();
    });
    if (!answered.ok()) return Finish(ToGrpcStatus(answered));
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    StartRead(&request_);
  }
  void OnDone() override {
    --reflection_->streams_;
    delete this;
  }

 private:
  void Refuse(const char* why) {
    reflection_->on_limit_();
    Finish(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, why));
  }

  Reflection* const reflection_;
  int questions_ = 0;
  ServerReflectionRequest request_;
  ServerReflectionResponse response_;
  LateCalls::Entry late_;
};

Reflection::Reflection(std::vector<std::string> services,
                       std::function<void()> on_limit)
    : services_(std::move(services)),
      on_limit_(std::move(on_limit)),
      late_(kMostTime, on_limit_) {
  services_.insert(services_.end(), std::begin(kServices), std::end(kServices));
  for (const char* const service : kServices)
    paths_.push_back(absl::StrCat("/", service, "/", kMethod));
  int index = 0;
  for (const std::string& path : paths_) {
    AddMethod(new grpc::internal::RpcServiceMethod(
        path.c_str(), grpc::internal::RpcMethod::BIDI_STREAMING, nullptr));
    MarkMethodCallback(
        index++,
        new grpc::internal::CallbackBidiHandler<ServerReflectionRequest,
                                                ServerReflectionResponse>(
            [this](grpc::CallbackServerContext* context) {
              return RefusedStream<ServerReflectionRequest,
                                   ServerReflectionResponse>::OrElse([&] {
                return new Stream(this, context);
              });
            }));
  }
}

ServerReflectionResponse Reflection::Answer(
    const ServerReflectionRequest& request) const {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      SetFile(pool.FindFileByName(request.file_by_filename()), &response);
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      SetFile(pool.FindFileContainingSymbol(request.file_containing_symbol()),
              &response);
      break;
    case ServerReflectionRequest::kFileContainingExtension:
      SetFile(nullptr, &response);
      break;
    case ServerReflectionRequest::kAllExtensionNumbersOfType:
      SetNoExtension(request.all_extension_numbers_of_type(), &response);
      break;
    case ServerReflectionRequest::kListServices:
      for (const std::string& name : services_)
        response.mutable_list_services_response()->add_service()->set_name(
            name);
      break;
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      response.mutable_error_response()->set_error_code(
          grpc::StatusCode::INVALID_ARGUMENT);
      response.mutable_error_response()->set_error_message("nothing is asked");
  }
  return response;
}

}  // namespace deberta::server
