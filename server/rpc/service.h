// deberta.v1.DebertaService over the callback API.
//
// A task's call: find the model, tokenise, queue, and answer from the worker
// that computed it. Thread-safe.

#ifndef SERVER_RPC_SERVICE_H_
#define SERVER_RPC_SERVICE_H_

#include <cstddef>

#include "absl/time/time.h"
#include "deberta/v1/deberta.grpc.pb.h"
#include "server/base/work_queue.h"
#include "server/batching/scheduler.h"
#include "server/models/catalog.h"
#include "server/net/connection_counts.h"
#include "server/rpc/admission.h"
#include "server/rpc/call.h"
#include "server/rpc/late_calls.h"
#include "server/rpc/make_call.h"
#include "server/rpc/process_stream.h"
#include "server/rpc/request_report.h"
#include "server/rpc/unary_call.h"

namespace deberta::server {

// Every method takes its request's bytes as they are: see Call.
using RawService = v1::DebertaService::WithRawCallbackMethod_Classify<
    v1::DebertaService::WithRawCallbackMethod_TagTokens<
        v1::DebertaService::WithRawCallbackMethod_AnswerQuestion<
            v1::DebertaService::WithRawCallbackMethod_FillMask<
                v1::DebertaService::WithRawCallbackMethod_ClassifyZeroShot<
                    v1::DebertaService::WithRawCallbackMethod_ExtractEntities<
                        v1::DebertaService::WithRawCallbackMethod_ExtractStructured<
                            v1::DebertaService::WithRawCallbackMethod_Rerank<
                                v1::DebertaService::WithRawCallbackMethod_Encode<
                                    v1::DebertaService::WithRawCallbackMethod_Tokenize<
                                        v1::DebertaService::
                                            WithRawCallbackMethod_ListModels<
                                                v1::DebertaService::
                                                    WithRawCallbackMethod_GetModel<
                                                        v1::DebertaService::WithRawCallbackMethod_Process<
                                                            v1::DebertaService::
                                                                Service>>>>>>>>>>>>>;

class Service final : public RawService {
 public:
  struct Options {
    // The longest that a call may take; also the deadline of one without.
    absl::Duration max_call_time = absl::Seconds(60);
    // Outlives the service; null: memory is never short.
    const MemoryGuard* memory = nullptr;
    // That parse and tokenize large requests.
    int large_call_threads = 1;
    // Who may call; null: anyone. Outlives the service.
    const Authenticator* authenticator = nullptr;
    // Who is behind each connection; null: as gRPC says. Outlives the service.
    const PeerTable* peers = nullptr;
    size_t max_metadata_bytes = size_t{16} << 10;  // of a call
    size_t max_request_bytes = size_t{4} << 20;    // once unpacked
    // That a client may take to read an answer.
    absl::Duration max_send_time = absl::Seconds(20);
    // Outlives the service; it has its own where this is null.
    ConnectionCounts* counts = nullptr;
    RequestObserver observer;
  };

  // Answers Unavailable until Serve().
  explicit Service(Options options);

  // The catalog and the scheduler outlive every call. Calls may hold so many
  // bytes together, of which one may hold three quarters: see Cost.
  void Serve(const LiveCatalog* catalog, Scheduler* scheduler,
             size_t max_inflight_bytes = size_t{200} << 20) {
    admission_.Open({.catalog = catalog, .scheduler = scheduler},
                    max_inflight_bytes);
  }
  // Refuses new calls; whether those inside have been answered by `deadline`.
  bool Drain(absl::Time deadline);

  // Whether new calls are taken.
  bool open();

  // For calls in other words than the service's.
  const CallEnvironment& environment() const { return environment_; }
  LateCalls& unsent() { return unsent_; }

  // Calls that were accepted and not yet answered.
  size_t inflight() const { return admission_.unanswered(); }
  // What they hold.
  size_t held_bytes() const { return admission_.held_bytes(); }

  grpc::ServerUnaryReactor* Classify(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* TagTokens(grpc::CallbackServerContext* context,
                                      const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* AnswerQuestion(grpc::CallbackServerContext* context,
                                           const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* FillMask(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ClassifyZeroShot(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ExtractEntities(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ExtractStructured(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Rerank(grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Encode(grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Tokenize(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Process(
      grpc::CallbackServerContext* context) override;

 private:
  grpc::ServerUnaryReactor* Start(Method method,
                                  grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response);

  Admission admission_;
  WorkQueue large_calls_;
  ConnectionCounts own_counts_;
  ConnectionCounts* const counts_;
  LateCalls unsent_;  // whose answers are on their way
  ProcessStreams streams_;
  const CallEnvironment environment_;
};

}  // namespace deberta::server

#endif  // SERVER_RPC_SERVICE_H_
