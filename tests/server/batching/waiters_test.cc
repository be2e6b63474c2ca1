#include "server/batching/waiters.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace deberta::server {
namespace {

absl::Time At(int us) { return absl::UnixEpoch() + absl::Microseconds(us); }

// Two jobs that share their first sequences; the second has one more.
class WaitersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    JobQueue queue({.max_batch_tokens = 100, .max_queue_tokens = 100});
    Job first = {.sequences = {{.ids = {1}, .type_ids = {0}}},
                 .cancelled = [this] { return first_gone_; }};
    Job second = {.sequences = {{.ids = {1}, .type_ids = {0}},
                                {.ids = {2}, .type_ids = {0}}},
                  .deadline = At(10)};
    ASSERT_TRUE(queue.Push(first, At(0)).ok());
    ASSERT_TRUE(queue.Push(second, At(0)).ok());
    // The second is first, for its deadline.
    batch_ = queue.TakeBatch(At(0));
    ASSERT_EQ(batch_.inputs, 2u);
  }

  bool first_gone_ = false;
  Batch batch_;
};

TEST_F(WaitersTest, WaitWhileOneJobDoes) {
  Waiters waiters(batch_);
  EXPECT_TRUE(waiters.WaitFor(0, At(9)));
  EXPECT_TRUE(waiters.WaitFor(1, At(9)));
  first_gone_ = true;
  EXPECT_TRUE(waiters.WaitFor(0, At(9)));
  first_gone_ = false;
  EXPECT_TRUE(waiters.WaitFor(0, At(10)));
  for (size_t entry = 0; entry < 3; ++entry) {
    EXPECT_TRUE(waiters.given_up(entry).ok()) << entry;
  }
}

TEST_F(WaitersTest, GiveUpWhenNoneDoes) {
  Waiters waiters(batch_);
  EXPECT_FALSE(waiters.WaitFor(1, At(10)));
  EXPECT_TRUE(waiters.given_up(0).ok());
  first_gone_ = true;
  EXPECT_FALSE(waiters.WaitFor(0, At(10)));
  EXPECT_EQ(waiters.given_up(2).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(waiters.given_up(0).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(waiters.given_up(1).code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace deberta::server
