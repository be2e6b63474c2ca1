#include "server/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace deberta::server {
namespace {

using testing::HasSubstr;

constexpr size_t kMiB = size_t{1} << 20;

MemoryPlan Plan(std::optional<size_t> limit) {
  return {.loaded = 100 * kMiB,
          .workspaces = 20 * kMiB,
          .connections = 32 * kMiB,
          .transports = 64 * kMiB,
          .limit = limit};
}

TEST(MemoryPlanTest, WithoutALimitCallsHaveTheDefault) {
  const auto plan = FitRequests(Plan(std::nullopt), std::nullopt);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->requests, 200 * kMiB);
  EXPECT_EQ(plan->ceiling(), 416 * kMiB);
  EXPECT_EQ(plan->reserve, 0u);
  EXPECT_EQ(plan->ForModels(), std::nullopt);
}

TEST(MemoryPlanTest, CallsHaveWhatIsLeft) {
  const auto wide = FitRequests(Plan(1024 * kMiB), std::nullopt);
  ASSERT_TRUE(wide.ok());
  EXPECT_EQ(wide->requests, 200 * kMiB);
  const auto narrow = FitRequests(Plan(320 * kMiB), std::nullopt);
  ASSERT_TRUE(narrow.ok());
  EXPECT_EQ(narrow->reserve, 20 * kMiB);
  EXPECT_EQ(narrow->requests, 84 * kMiB);
  EXPECT_EQ(narrow->ceiling() + narrow->reserve, 320 * kMiB);
  // What other models may need is never what calls may hold.
  EXPECT_EQ(narrow->ForModels(), 100 * kMiB);
  EXPECT_EQ(wide->ForModels(), (1024 - 64 - 316) * kMiB);
}

TEST(MemoryPlanTest, WhatDoesNotFitIsToldPartByPart) {
  const auto least = FitRequests(Plan(240 * kMiB), std::nullopt);
  ASSERT_TRUE(absl::IsResourceExhausted(least.status()));
  EXPECT_THAT(std::string(least.status().message()),
              testing::AllOf(HasSubstr("limit is 251658240 bytes"),
                             HasSubstr("104857600 of the program"),
                             HasSubstr("--max_connections"),
                             HasSubstr("16777216 of calls")));
  EXPECT_TRUE(FitRequests(Plan(480 * kMiB), 200 * kMiB).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(
      FitRequests(Plan(440 * kMiB), 200 * kMiB).status()));
}

}  // namespace
}  // namespace deberta::server
