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
  Admission admission(kBytes);
  Admission::Backend backend;
  EXPECT_TRUE(absl::IsUnavailable(admission.Enter(&backend).status()));
  EXPECT_EQ(backend.catalog, nullptr);
  admission.Open({.catalog = &catalog});
  const absl::StatusOr<Admission::Entry> entry = admission.Enter(&backend);
  EXPECT_TRUE(entry.ok());
  EXPECT_EQ(backend.catalog, &catalog);
  admission.Close();
  EXPECT_TRUE(absl::IsUnavailable(admission.Enter(&backend).status()));
  EXPECT_EQ(admission.unanswered(), 1u);
  admission.Open({.catalog = &catalog});
  EXPECT_TRUE(absl::IsUnavailable(admission.Enter(&backend).status()));
}

TEST(AdmissionTest, IsEmptyWhenTheLastAnswerIsSent) {
  Admission admission(kBytes);
  admission.Open({});
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
  Admission admission(kBytes);
  admission.Open({});
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
  Admission admission(kBytes);
  admission.Open({});
  Admission::Entry entry = Entered(admission);
  EXPECT_TRUE(entry.Hold(admission.max_call_bytes()).ok());
  EXPECT_TRUE(
      absl::IsInvalidArgument(entry.Hold(admission.max_call_bytes() + 1)));
  EXPECT_EQ(admission.held_bytes(), admission.max_call_bytes());
}

// Eight callers of 4 MB contexts took half a gigabyte: the queue bounds a round
// of a long call, not what it holds.
TEST(AdmissionTest, BoundsWhatCallsHoldTogether) {
  Admission admission(kBytes);
  admission.Open({});
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
  Admission admission(kBytes);
  admission.Open({});
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
  Admission admission(kBytes);
  admission.Open({});
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

}  // namespace
}  // namespace deberta::server
