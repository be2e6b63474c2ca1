#include "server/batching/caller_shares.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace deberta::server {
namespace {

TEST(CallerSharesTest, WhoHadMoreWaitsLonger) {
  CallerShares shares;
  const auto a = shares.Arrive("a");
  const auto b = shares.Arrive("b");
  shares.Serve(*a, 3);
  shares.Serve(*b, 1);
  EXPECT_GT(a->turn, b->turn);
  shares.Serve(*b, 3);
  EXPECT_LT(a->turn, b->turn);
}

TEST(CallerSharesTest, APauseSavesNothingUp) {
  CallerShares shares;
  const auto busy = shares.Arrive("busy");
  const auto rare = shares.Arrive("rare");
  shares.Serve(*rare, 1);
  shares.Leave(*rare);
  for (int i = 0; i < 100; ++i) shares.Serve(*busy, 1);
  EXPECT_EQ(shares.Arrive("rare"), rare);
  EXPECT_LT(rare->turn, busy->turn) << "its turn is next";
  EXPECT_GT(rare->turn, busy->turn - 1) << "and no more";
  EXPECT_EQ(shares.TurnOf(shares.Find("new")), rare->turn);
}

TEST(CallerSharesTest, WhatWasHadBeforeAPauseIsNotForgottenAtOnce) {
  CallerShares shares;
  const auto greedy = shares.Arrive("greedy");
  const auto other = shares.Arrive("other");
  shares.Serve(*greedy, 10);
  shares.Leave(*greedy);
  shares.Serve(*other, 1);
  EXPECT_GT(shares.TurnOf(shares.Find("greedy")), other->turn);
}

// Callers who ask once each must not be remembered for ever, though one of them
// always waits.
TEST(CallerSharesTest, ForgetsThoseWhoHaveGone) {
  CallerShares shares;
  std::shared_ptr<CallerShares::Account> before = shares.Arrive("first");
  for (int i = 0; i < 10'000; ++i) {
    const auto next = shares.Arrive("caller " + std::to_string(i));
    shares.Serve(*before, 0.5);
    shares.Leave(*before);
    before = next;
    ASSERT_LE(shares.size(), 200u);
  }
}

}  // namespace
}  // namespace deberta::server
