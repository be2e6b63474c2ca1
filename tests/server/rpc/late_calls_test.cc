#include "server/rpc/late_calls.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

namespace deberta::server {
namespace {

// Ends calls of "/late" when they are cancelled, and all others at once.
class Ends : public grpc::CallbackGenericService {
 public:
  explicit Ends(LateCalls* late) : late_(late) {}

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new Call(context, late_);
  }

 private:
  class Call : public grpc::ServerGenericBidiReactor {
   public:
    Call(grpc::GenericCallbackServerContext* context, LateCalls* late) {
      late->Add(context, &entry_);
      if (context->method() != "/late") Finish(grpc::Status::OK);
    }
    void OnCancel() override {
      Finish(grpc::Status(grpc::StatusCode::CANCELLED, "late"));
    }
    void OnDone() override { delete this; }

   private:
    LateCalls::Entry entry_;
  };

  LateCalls* const late_;
};

class LateCallsTest : public testing::Test {
 protected:
  void Start(absl::Duration time) {
    late_ = std::make_unique<LateCalls>(time, [this] { ++told_; });
    ends_ = std::make_unique<Ends>(late_.get());
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(ends_.get());
    server_ = builder.BuildAndStart();
    stub_ = std::make_unique<grpc::GenericStub>(server_->InProcessChannel({}));
  }
  ~LateCallsTest() override { server_->Shutdown(); }

  grpc::StatusCode Ask(const std::string& method) {
    grpc::ClientContext context;
    const grpc::Slice slice("");
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer answer;
    std::promise<grpc::Status> done;
    stub_->UnaryCall(&context, method, {}, &request, &answer,
                     [&](grpc::Status status) { done.set_value(status); });
    return done.get_future().get().error_code();
  }

  std::atomic<int> told_ = 0;
  std::unique_ptr<LateCalls> late_;
  std::unique_ptr<Ends> ends_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<grpc::GenericStub> stub_;
};

TEST_F(LateCallsTest, WhatIsNotOverInTimeIsCancelledAndTold) {
  Start(absl::Milliseconds(20));
  EXPECT_EQ(Ask("/late"), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(Ask("/late"), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(told_, 2);
}

TEST_F(LateCallsTest, WhatIsOverIsForgotten) {
  Start(absl::Hours(1));
  for (int call = 0; call < 100; ++call)
    EXPECT_NE(Ask("/soon"), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(told_, 0);
}

}  // namespace
}  // namespace deberta::server
