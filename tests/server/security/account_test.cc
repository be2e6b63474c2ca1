#include "server/security/account.h"

#include <gtest/gtest.h>

namespace deberta::server {
namespace {

const absl::Time kStart = absl::UnixEpoch() + absl::Hours(5);

AccountRules Requests(double per_second, double burst) {
  return {.name = "n", .requests = Rate{per_second, burst}};
}

TEST(AccountTest, BurstThenTheRate) {
  const Account account(Requests(10, 3));
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(account.Enter(kStart), absl::ZeroDuration());
  const absl::Duration wait = account.Enter(kStart);
  EXPECT_GT(wait, absl::Milliseconds(99));
  EXPECT_LT(wait, absl::Milliseconds(101));
  EXPECT_EQ(account.Enter(kStart + wait), absl::ZeroDuration());
  EXPECT_GT(account.Enter(kStart + wait), absl::ZeroDuration());
  // It never holds more than the burst.
  const absl::Time later = kStart + absl::Hours(1);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(account.Enter(later), absl::ZeroDuration());
  EXPECT_GT(account.Enter(later), absl::ZeroDuration());
}

TEST(AccountTest, CallsThatAreRefusedCostNothing) {
  const Account account(Requests(1, 1));
  EXPECT_EQ(account.Enter(kStart), absl::ZeroDuration());
  for (int i = 0; i < 1000; ++i) account.Enter(kStart);
  EXPECT_EQ(account.Enter(kStart + absl::Milliseconds(1001)),
            absl::ZeroDuration());
}

TEST(AccountTest, ATimeThatStandsStillFillsNothing) {
  const Account account(Requests(1e6, 1));
  EXPECT_EQ(account.Enter(kStart), absl::ZeroDuration());
  EXPECT_GT(account.Enter(kStart - absl::Hours(1)), absl::ZeroDuration());
  EXPECT_GT(account.Enter(kStart), absl::ZeroDuration());
}

TEST(AccountTest, WorkIsPaidAfterwards) {
  const Account account({.name = "n", .tokens = Rate{100, 50}});
  EXPECT_EQ(account.Enter(kStart), absl::ZeroDuration());
  account.Spend(250, kStart);  // 200 in debt
  const absl::Duration wait = account.Enter(kStart);
  EXPECT_GT(wait, absl::Milliseconds(2009));
  EXPECT_LT(wait, absl::Milliseconds(2011));
  EXPECT_EQ(account.Enter(kStart + wait), absl::ZeroDuration());
}

TEST(AccountTest, GoesOnWhereTheOneBeforeItWas) {
  const Account before(Requests(1, 1));
  EXPECT_EQ(before.Enter(kStart), absl::ZeroDuration());
  EXPECT_GT(Account(Requests(1, 1), &before).Enter(kStart),
            absl::ZeroDuration());
  EXPECT_EQ(Account(Requests(1, 2), &before).Enter(kStart),
            absl::ZeroDuration());
  EXPECT_EQ(Account({.name = "n"}, &before).Enter(kStart),
            absl::ZeroDuration());
}

}  // namespace
}  // namespace deberta::server
