#include "tests/server/rpc/mutated_requests.h"

#include <gtest/gtest.h>

#include <memory>

#include "inference/inference.pb.h"
#include "server/inference/inference_service.h"

namespace deberta::server {
namespace {

// Most requests made at random have tensors of no such type and shape.
void MakeTexts(google::protobuf::Message* message) {
  auto* request = dynamic_cast<inference::ModelInferRequest*>(message);
  if (request == nullptr) return;
  request->clear_raw_input_contents();
  request->clear_model_version();
  for (auto& input : *request->mutable_inputs()) {
    input.clear_parameters();
    input.set_datatype("BYTES");
    input.clear_shape();
    input.add_shape(input.contents().bytes_contents_size());
  }
}

TEST(MutatedRequestsTest, EachIsAnsweredOnceAndNoneIsTheServersFault) {
  std::unique_ptr<InferenceService> inference;  // outlived by no call
  TestServer server(
      {.second_classifier = true,
       .judge = true,
       .others = [&](Service* service) {
         inference = std::make_unique<InferenceService>("1", service);
         return Listener::Services{{InferenceService::kName, inference.get()}};
       }});
  SendMutatedRequests(InferenceService::kName, &server, MakeTexts);
}

}  // namespace
}  // namespace deberta::server
