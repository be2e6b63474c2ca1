// inference.GRPCInferenceService, the Open Inference Protocol, beside the
// service's own: see proto/inference/inference.proto. Thread-safe.

#ifndef SERVER_INFERENCE_INFERENCE_SERVICE_H_
#define SERVER_INFERENCE_INFERENCE_SERVICE_H_

#include <string>

#include "inference/inference.grpc.pb.h"
#include "server/inference/inference_call.h"
#include "server/rpc/service.h"

namespace deberta::server {

// Requests about models are taken as bytes: see Call.
using RawInferenceService =
    inference::GRPCInferenceService::WithRawCallbackMethod_ModelReady<
        inference::GRPCInferenceService::WithRawCallbackMethod_ModelMetadata<
            inference::GRPCInferenceService::WithRawCallbackMethod_ModelInfer<
                inference::GRPCInferenceService::WithCallbackMethod_ServerLive<
                    inference::GRPCInferenceService::
                        WithCallbackMethod_ServerReady<
                            inference::GRPCInferenceService::
                                WithCallbackMethod_ServerMetadata<
                                    inference::GRPCInferenceService::
                                        Service>>>>>>;

class InferenceService final : public RawInferenceService {
 public:
  static constexpr char kName[] = "inference.GRPCInferenceService";

  // `service`, which does the calls, outlives this.
  InferenceService(std::string version, server::Service* service);

  grpc::ServerUnaryReactor* ServerLive(
      grpc::CallbackServerContext* context,
      const inference::ServerLiveRequest* request,
      inference::ServerLiveResponse* response) override;
  grpc::ServerUnaryReactor* ServerReady(
      grpc::CallbackServerContext* context,
      const inference::ServerReadyRequest* request,
      inference::ServerReadyResponse* response) override;
  grpc::ServerUnaryReactor* ServerMetadata(
      grpc::CallbackServerContext* context,
      const inference::ServerMetadataRequest* request,
      inference::ServerMetadataResponse* response) override;
  grpc::ServerUnaryReactor* ModelReady(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ModelMetadata(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ModelInfer(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;

 private:
  grpc::ServerUnaryReactor* Start(const Translator* translator,
                                  grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response);

  const std::string version_;
  server::Service& service_;
  const Translator ready_;
  const Translator metadata_;
  const Translator infer_;
};

}  // namespace deberta::server

#endif  // SERVER_INFERENCE_INFERENCE_SERVICE_H_
