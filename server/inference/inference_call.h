// A call of the Open Inference Protocol, which is one of the service's own
// under other words: it is translated, done by that, and the answer translated
// back. Who may call, what it may hold and what is reported are that one's.

#ifndef SERVER_INFERENCE_INFERENCE_CALL_H_
#define SERVER_INFERENCE_INFERENCE_CALL_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/base/mutex.h"
#include "server/base/stopwatch.h"
#include "server/models/catalog.h"
#include "server/rpc/admission.h"
#include "server/rpc/call.h"
#include "server/rpc/caller.h"
#include "server/rpc/late_calls.h"
#include "server/rpc/make_call.h"
#include "server/rpc/unary_reactor.h"

namespace deberta::server {

// One of the service's own requests, and how its answer is said. All strings
// are serialized messages.
struct Translation {
  Method method = Method::kClassify;
  std::string request;
  std::function<absl::StatusOr<std::string>(std::string_view answer)> answer;
  // Instead of NOT_FOUND; none: that is an error.
  std::optional<std::string> not_found = {};
};

struct Translator {
  const google::protobuf::Descriptor* request;  // type of what is translated
  // Of the catalog's models the caller is told of those that it may use.
  std::function<absl::StatusOr<Translation>(
      std::string_view bytes, const Catalog& catalog, const Caller& caller)>
      translate;
};

class InferenceCall final : public UnaryReactor, private CallSink {
 public:
  // Starts a call, which then owns itself. All but `context`, `request` and
  // `response`, which are gRPC's, outlive it.
  static grpc::ServerUnaryReactor* Start(const Translator* translator,
                                         grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response,
                                         const CallEnvironment* environment,
                                         LateCalls* unsent);

  void OnCancel() override;

 private:
  InferenceCall(const Translator* translator,
                grpc::CallbackServerContext* context,
                const grpc::ByteBuffer* request, grpc::ByteBuffer* response,
                const CallEnvironment* environment, LateCalls* unsent);

  void Run();
  // Makes the call that does it.
  absl::Status Translate();
  absl::StatusOr<std::string> TranslateAnswer(const grpc::ByteBuffer& answer);
  void Answer(grpc::Status status, grpc::ByteBuffer answer) override;
  // Ends what has not become a call, and reports it.
  void Refuse(const absl::Status& why);
  void SendText(const std::string& answer);

  const Translator* const translator_;
  const grpc::ByteBuffer* const request_;
  const CallEnvironment* const environment_;
  const Stopwatch total_;
  Caller caller_;
  // What the translations hold; the call itself enters by its own.
  Admission::Entry entry_;
  Translation translation_;
  grpc::ByteBuffer translated_;
  Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<Call> call_ ABSL_GUARDED_BY(mutex_);  // set once
};

}  // namespace deberta::server

#endif  // SERVER_INFERENCE_INFERENCE_CALL_H_
