#include "server/rpc/call_gate.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace deberta::server {
namespace {

TEST(CallGateTest, OpensAndCloses) {
  const Catalog catalog({});
  CallGate gate;
  CallGate::Backend backend;
  EXPECT_TRUE(absl::IsUnavailable(gate.Enter(&backend)));
  EXPECT_EQ(backend.catalog, nullptr);
  gate.Open({.catalog = &catalog});
  EXPECT_TRUE(gate.Enter(&backend).ok());
  EXPECT_EQ(backend.catalog, &catalog);
  gate.Close();
  EXPECT_TRUE(absl::IsUnavailable(gate.Enter(&backend)));
  EXPECT_EQ(gate.unanswered(), 1u);
  gate.Open({.catalog = &catalog});
  EXPECT_TRUE(absl::IsUnavailable(gate.Enter(&backend)));
}

TEST(CallGateTest, IsEmptyWhenTheLastAnswerIsSent) {
  CallGate gate;
  gate.Open({});
  CallGate::Backend backend;
  EXPECT_TRUE(gate.WaitUntilEmpty(absl::InfinitePast()));
  ASSERT_TRUE(gate.Enter(&backend).ok());
  gate.Answered();
  EXPECT_EQ(gate.unanswered(), 0u);
  EXPECT_FALSE(gate.WaitUntilEmpty(absl::InfinitePast()));
  std::thread sender([&] { gate.Leave(); });
  EXPECT_TRUE(gate.WaitUntilEmpty(absl::InfiniteFuture()));
  sender.join();
}

TEST(CallGateTest, CountsConcurrentCalls) {
  CallGate gate;
  gate.Open({});
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&gate] {
      for (int call = 0; call < 1000; ++call) {
        CallGate::Backend backend;
        if (!gate.Enter(&backend).ok()) continue;
        gate.Answered();
        gate.Leave();
      }
    });
  }
  gate.Close();
  EXPECT_TRUE(gate.WaitUntilEmpty(absl::InfiniteFuture()));
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(gate.unanswered(), 0u);
}

}  // namespace
}  // namespace deberta::server
