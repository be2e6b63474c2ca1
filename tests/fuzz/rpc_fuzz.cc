// Requests of every RPC of both services through the real handlers, over a
// stand-in for the models: the first byte of an input chooses the method, the
// others are its request.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "server/inference/inference_service.h"
#include "tests/server/rpc/checked_calls.h"
#include "tests/server/rpc/random_requests.h"
#include "tests/server/rpc/test_server.h"

using deberta::server::CheckedCalls;
using deberta::server::InferenceService;
using deberta::server::RandomRequests;
using deberta::server::TestServer;

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

// A server and the calls that it gets. Replaced after some calls, when it must
// hold nothing: it keeps a report of each.
class Target {
 public:
  Target()
      : server_({.second_classifier = true,
                 .judge = true,
                 .extractor = true,
                 .others =
                     [this](deberta::server::Service* service) {
                       inference_ =
                           std::make_unique<InferenceService>("1", service);
                       return deberta::server::Listener::Services{
                           {InferenceService::kName, inference_.get()}};
                     }}),
        calls_("deberta.v1.DebertaService", &server_),
        inference_calls_(InferenceService::kName, &server_) {}

  const google::protobuf::MethodDescriptor& MethodOf(uint8_t first) const {
    const auto& own = calls_.methods();
    const auto& inference = inference_calls_.methods();
    const size_t at = first % (own.size() + inference.size());
    return at < own.size() ? *own[at] : *inference[at - own.size()];
  }

  void Call(uint8_t first, const std::string& request) {
    const auto& method = MethodOf(first);
    CheckedCalls& calls =
        method.service()->full_name() == InferenceService::kName
            ? inference_calls_
            : calls_;
    if (method.client_streaming()) {
      calls.Stream(method, request);
    } else {
      calls.Unary(method, request);
    }
  }

  void ExpectNothingHeld() {
    EXPECT_TRUE(server_.service().Drain(absl::InfiniteFuture()));
    EXPECT_EQ(server_.service().held_bytes(), 0u);
  }

 private:
  std::unique_ptr<InferenceService> inference_;  // outlived by no call
  TestServer server_;
  CheckedCalls calls_;
  CheckedCalls inference_calls_;
};

Target& CurrentTarget() {
  constexpr int kCallsOfTarget = 5000;
  static std::unique_ptr<Target> target;
  static int left = 0;
  if (left == 0) {
    if (target != nullptr) target->ExpectNothingHeld();
    target = std::make_unique<Target>();
    left = kCallsOfTarget;
  }
  --left;
  return *target;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  GTEST_FLAG_SET(break_on_failure, true);
  CurrentTarget();
  return 0;
}

// One in eight is a new request of the method's fields.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size,
                                          size_t max_size, unsigned int seed) {
  RandomRequests requests(seed);
  if (size == 0 || requests.Below(8) != 0)
    return LLVMFuzzerMutate(data, size, max_size);
  data[0] = static_cast<uint8_t>(requests.Below(256));
  const std::string request =
      requests.Bytes(*CurrentTarget().MethodOf(data[0]).input_type());
  const size_t length = std::min(request.size(), max_size - 1);
  std::copy_n(request.begin(), length, data + 1);
  return 1 + length;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  CurrentTarget().Call(
      data[0], std::string(reinterpret_cast<const char*>(data) + 1, size - 1));
  return 0;
}
