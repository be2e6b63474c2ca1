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

// Eight callers of 4 MB contexts took half a gigabyte: the queue bounds a round
// of a long call, not what it holds.
TEST(CallGateTest, BoundsWhatLongCallsHoldTogether) {
  constexpr size_t kMost = CallGate::kMaxHeldTokens;
  CallGate gate;
  ASSERT_TRUE(gate.HoldTokens(kMost + 1).ok()) << "alone, of any length";
  EXPECT_TRUE(absl::IsResourceExhausted(gate.HoldTokens(1)));
  gate.ReleaseTokens(kMost + 1);
  ASSERT_TRUE(gate.HoldTokens(kMost - 1).ok());
  ASSERT_TRUE(gate.HoldTokens(1).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(gate.HoldTokens(1)));
  gate.ReleaseTokens(1);
  EXPECT_TRUE(absl::IsResourceExhausted(gate.HoldTokens(2)));
  EXPECT_TRUE(gate.HoldTokens(1).ok());
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
