#include "server/rpc/admission.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>
#include <vector>

namespace deberta::server {
namespace {

constexpr size_t kBytes = size_t{64} << 20;

Admission::Entry Entered(Admission& admission) {
  Admission::Backend backend;
  absl::StatusOr<Admission::Entry> entry = admission.Enter(&backend);
  EXPECT_TRUE(entry.ok()) << entry.status();
  return *std::move(entry);
}

TEST(AdmissionTest, OpensAndCloses) {
  const LiveCatalog catalog;
  Admission admission;
  Admission::Backend backend;
  EXPECT_TRUE(absl::IsUnavailable(admission.Enter(&backend).status()));
  EXPECT_EQ(backend.catalog, nullptr);
  admission.Open({.catalog = &catalog}, kBytes);
  const absl::StatusOr<Admission::Entry> entry = admission.Enter(&backend);
  EXPECT_TRUE(entry.ok());
  EXPECT_EQ(backend.catalog, &catalog);
  admission.Close();
  EXPECT_TRUE(absl::IsUnavailable(admission.Enter(&backend).status()));
  EXPECT_EQ(admission.unanswered(), 1u);
  admission.Open({.catalog = &catalog}, kBytes);
  EXPECT_TRUE(absl::IsUnavailable(admission.Enter(&backend).status()));
}

TEST(AdmissionTest, IsEmptyWhenTheLastAnswerIsSent) {
  Admission admission;
  admission.Open({}, kBytes);
  EXPECT_TRUE(admission.WaitUntilEmpty(absl::InfinitePast()));
  Admission::Entry entry = Entered(admission);
  entry.Answered();
  EXPECT_EQ(admission.unanswered(), 0u);
  EXPECT_FALSE(admission.WaitUntilEmpty(absl::InfinitePast()));
  std::thread sender([inside = std::move(entry)] {});
  EXPECT_TRUE(admission.WaitUntilEmpty(absl::InfiniteFuture()));
  sender.join();
}

// A call that never came to its end, as when it throws, left a count that never
// fell: the drain waited for it in vain.
TEST(AdmissionTest, ACallLeavesHoweverItEnds) {
  Admission admission;
  admission.Open({}, kBytes);
  {
    Admission::Entry entry = Entered(admission);
    ASSERT_TRUE(entry.Hold(1000).ok());
    Admission::Entry moved = std::move(entry);
    EXPECT_EQ(admission.held_bytes(), 1000u);
    EXPECT_EQ(admission.unanswered(), 1u);
  }
  EXPECT_EQ(admission.unanswered(), 0u);
  EXPECT_EQ(admission.held_bytes(), 0u);
  EXPECT_TRUE(admission.WaitUntilEmpty(absl::InfinitePast()));
}

TEST(AdmissionTest, BoundsWhatOneCallHolds) {
  Admission admission;
  admission.Open({}, kBytes);
  Admission::Entry entry = Entered(admission);
  EXPECT_TRUE(entry.Hold(admission.max_call_bytes()).ok());
  EXPECT_TRUE(
      absl::IsInvalidArgument(entry.Hold(admission.max_call_bytes() + 1)));
  EXPECT_EQ(admission.held_bytes(), admission.max_call_bytes());
}

// Eight callers of 4 MB contexts took half a gigabyte: the queue bounds a round
// of a long call, not what it holds.
TEST(AdmissionTest, BoundsWhatCallsHoldTogether) {
  Admission admission;
  admission.Open({}, kBytes);
  Admission::Entry large = Entered(admission);
  ASSERT_TRUE(large.Hold(admission.max_call_bytes()).ok());
  Admission::Entry other = Entered(admission);
  EXPECT_TRUE(absl::IsResourceExhausted(other.Hold(kBytes / 4)));
  EXPECT_TRUE(other.Hold(kBytes / 8).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(other.Hold(kBytes / 8 + 1)));
  EXPECT_EQ(admission.held_bytes(), admission.max_call_bytes() + kBytes / 8);
  EXPECT_TRUE(large.Hold(1).ok()) << "less is always allowed";
  EXPECT_TRUE(other.Hold(kBytes / 4).ok());
}

TEST(AdmissionTest, KeepsRoomForSmallCalls) {
  Admission admission;
  admission.Open({}, kBytes);
  Admission::Entry large = Entered(admission);
  ASSERT_TRUE(large.Hold(admission.max_call_bytes()).ok());
  Admission::Entry second = Entered(admission);
  ASSERT_TRUE(second.Hold(kBytes / 8).ok());
  std::vector<Admission::Entry> small;
  for (int i = 0; i < 8; ++i) {
    small.push_back(Entered(admission));
    EXPECT_TRUE(small.back().Hold(kBytes / 64).ok());
  }
  EXPECT_EQ(admission.held_bytes(), kBytes);
  Admission::Entry last = Entered(admission);
  EXPECT_TRUE(absl::IsResourceExhausted(last.Hold(1)));
}

TEST(AdmissionTest, CountsConcurrentCalls) {
  Admission admission;
  admission.Open({}, kBytes);
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&admission] {
      for (int call = 0; call < 1000; ++call) {
        Admission::Backend backend;
        absl::StatusOr<Admission::Entry> entry = admission.Enter(&backend);
        if (!entry.ok()) continue;
        EXPECT_TRUE(entry->Hold(static_cast<size_t>(call)).ok());
        entry->Answered();
      }
    });
  }
  admission.Close();
  EXPECT_TRUE(admission.WaitUntilEmpty(absl::InfiniteFuture()));
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(admission.unanswered(), 0u);
  EXPECT_EQ(admission.held_bytes(), 0u);
}

// Near the limit the process was killed, and every call with it.
TEST(AdmissionTest, WhereMemoryIsShortOnlyLittleIsAddedToCallsInside) {
  size_t used = 0;
  MemoryGuard guard(
      [&used] { return MemoryUse{.limit = size_t{1} << 30, .used = used}; },
      absl::InfiniteDuration());
  guard.Look();
  Admission admission(&guard);
  admission.Open({}, kBytes);
  Admission::Entry inside = Entered(admission);
  Admission::Entry another = Entered(admission);
  ASSERT_TRUE(inside.Hold(1000).ok());
  used = (size_t{1} << 30) - 1000;
  guard.Look();
  EXPECT_TRUE(absl::IsResourceExhausted(another.Hold(1)));
  EXPECT_TRUE(absl::IsResourceExhausted(inside.Hold(kBytes / 2)));
  EXPECT_EQ(admission.held_bytes(), 1000u);
  EXPECT_TRUE(inside.Hold(2000).ok());
  EXPECT_TRUE(inside.Hold(10).ok());
  used = 0;
  guard.Look();
  EXPECT_TRUE(another.Hold(1).ok());
}

}  // namespace
}  // namespace deberta::server
