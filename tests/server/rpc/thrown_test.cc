// What is thrown on gRPC's threads, the want of memory first of all: the call
// ends, once, with a status that says so, and nothing is left of it. A program
// of its own, as it replaces the allocator.

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "server/rpc/service.h"
#include "tests/server/failing_allocator.h"
#include "tests/server/rpc/test_server.h"

namespace {

// Allocations that this thread may still make before one fails; negative: any
// number.
thread_local int allowed = -1;
thread_local bool refused = false;

}  // namespace

bool FailsNow() {
  if (allowed != 0) {
    if (allowed > 0) --allowed;
    return false;
  }
  allowed = -1;
  refused = true;
  return true;
}

namespace deberta::server {
namespace {

// A service of which one allocation fails while it takes a call: from the
// method's entry to the report of the call, or to where it waits for the model.
class ShortOfMemory final : public RawService {
 public:
  explicit ShortOfMemory(server::Service* service) : service_(*service) {}

  // Whether the allocation was reached.
  bool failed = false;
  int allocations = 0;

  grpc::ServerUnaryReactor* Classify(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override {
    return Short([&] { return service_.Classify(context, request, response); });
  }
  grpc::ServerUnaryReactor* Tokenize(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override {
    return Short([&] { return service_.Tokenize(context, request, response); });
  }

 private:
  template <typename Method>
  grpc::ServerUnaryReactor* Short(Method method) {
    refused = false;
    allowed = allocations;
    grpc::ServerUnaryReactor* reactor = method();
    allowed = -1;
    failed = refused;
    return reactor;
  }

  server::Service& service_;
};

// `server` behind a service that is short of memory.
struct ShortServer {
  explicit ShortServer(TestServer* server) : service(&server->service()) {
    listener = *Listener::Start({.address = {.host = "127.0.0.1"}}, &service);
    stub = v1::DebertaService::NewStub(
        listener->server().InProcessChannel(grpc::ChannelArguments()));
  }

  ShortOfMemory service;
  std::unique_ptr<Listener> listener;
  std::unique_ptr<v1::DebertaService::Stub> stub;
};

// Lets allocation after allocation fail, of a call each, until one needs no
// more. `arm` says which is to fail (-1: none), `reached` whether the last was.
void FailEach(TestServer* server, const std::function<void(int)>& arm,
              const std::function<bool()>& reached,
              const std::function<grpc::Status()>& call) {
  constexpr int kMost = 2000;
  int errors = 0;
  for (int n = 0; n < kMost; ++n) {
    arm(n);
    const grpc::Status status = call();
    if (!status.ok()) {
      ++errors;
      ASSERT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED)
          << "allocation " << n << ": " << status.error_message();
    }
    const bool was_reached = reached();
    arm(-1);
    EXPECT_TRUE(call().ok()) << "after allocation " << n;
    EXPECT_EQ(server->service().inflight(), 0u) << "allocation " << n;
    if (!was_reached) break;
    ASSERT_LT(n + 1, kMost);
  }
  EXPECT_GT(errors, 10);
  EXPECT_TRUE(server->service().Drain(absl::InfiniteFuture()));
}

// On the thread that takes the call.
template <typename Call>
void FailEachTaken(Call call) {
  TestServer server({.before_report = [] { allowed = -1; }});
  ShortServer shorter(&server);
  FailEach(
      &server, [&](int n) { shorter.service.allocations = n; },
      [&] { return shorter.service.failed; },
      [&] { return call(*shorter.stub); });
}

grpc::Status Classify(v1::DebertaService::Stub& stub) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::seconds(20));
  v1::ClassifyResponse response;
  return stub.Classify(&context, ClassifyText("a b c"), &response);
}

TEST(RpcThrownTest, ATasksCallSurvives) { FailEachTaken(Classify); }

TEST(RpcThrownTest, ACallWithoutTheModelSurvives) {
  FailEachTaken([](v1::DebertaService::Stub& stub) {
    grpc::ClientContext context;
    v1::TokenizeRequest request;
    request.set_model("labels");
    request.add_inputs()->set_text("a b c");
    v1::TokenizeResponse response;
    return stub.Tokenize(&context, request, &response);
  });
}

// On the worker's thread: from the end of the batch to the report of the call.
TEST(RpcThrownTest, TheAnswerToATaskSurvives) {
  std::atomic<int> allocations = -1;
  std::atomic<bool> reached = false;
  TestServer server({.after_batch =
                         [&] {
                           refused = false;
                           allowed = allocations;
                         },
                     .before_report =
                         [&] {
                           reached = refused;
                           allowed = -1;
                         }});
  FailEach(
      &server, [&](int n) { allocations = n; }, [&] { return reached.load(); },
      [&] { return Classify(server.stub()); });
}

}  // namespace
}  // namespace deberta::server
