// deberta.v1.DebertaService over the callback API.
//
// A task's call: find the model, tokenise on the calling thread, queue, and
// answer from the worker that computed it. Thread-safe.

#ifndef SERVER_RPC_SERVICE_H_
#define SERVER_RPC_SERVICE_H_

#include <cstddef>

#include "absl/time/time.h"
#include "deberta/v1/deberta.grpc.pb.h"
#include "server/batching/scheduler.h"
#include "server/models/catalog.h"
#include "server/rpc/call_gate.h"
#include "server/rpc/request_report.h"

namespace deberta::server {

class Service final : public v1::DebertaService::CallbackService {
 public:
  struct Options {
    // The longest that a call may take; also the deadline of one without.
    absl::Duration max_call_time = absl::Seconds(60);
    RequestObserver observer;
  };

  // Answers Unavailable until Serve().
  explicit Service(Options options) : options_(std::move(options)) {}

  // The catalog and the scheduler outlive every call.
  void Serve(const Catalog* catalog, Scheduler* scheduler) {
    gate_.Open({.catalog = catalog, .scheduler = scheduler});
  }
  // Refuses new calls; whether those inside have been answered by `deadline`.
  bool Drain(absl::Time deadline);

  // Task calls that were accepted and not yet answered.
  size_t inflight() const { return gate_.unanswered(); }

  grpc::ServerUnaryReactor* Classify(grpc::CallbackServerContext* context,
                                     const v1::ClassifyRequest* request,
                                     v1::ClassifyResponse* response) override;
  grpc::ServerUnaryReactor* TagTokens(grpc::CallbackServerContext* context,
                                      const v1::TagTokensRequest* request,
                                      v1::TagTokensResponse* response) override;
  grpc::ServerUnaryReactor* AnswerQuestion(
      grpc::CallbackServerContext* context,
      const v1::AnswerQuestionRequest* request,
      v1::AnswerQuestionResponse* response) override;
  grpc::ServerUnaryReactor* FillMask(grpc::CallbackServerContext* context,
                                     const v1::FillMaskRequest* request,
                                     v1::FillMaskResponse* response) override;
  grpc::ServerUnaryReactor* ClassifyZeroShot(
      grpc::CallbackServerContext* context,
      const v1::ClassifyZeroShotRequest* request,
      v1::ClassifyZeroShotResponse* response) override;
  grpc::ServerUnaryReactor* Encode(grpc::CallbackServerContext* context,
                                   const v1::EncodeRequest* request,
                                   v1::EncodeResponse* response) override;
  grpc::ServerUnaryReactor* Tokenize(grpc::CallbackServerContext* context,
                                     const v1::TokenizeRequest* request,
                                     v1::TokenizeResponse* response) override;
  grpc::ServerUnaryReactor* ListModels(
      grpc::CallbackServerContext* context,
      const v1::ListModelsRequest* request,
      v1::ListModelsResponse* response) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* context,
                                     const v1::GetModelRequest* request,
                                     v1::GetModelResponse* response) override;

 private:
  const Options options_;
  CallGate gate_;
};

}  // namespace deberta::server

#endif  // SERVER_RPC_SERVICE_H_
