#include "server/base/memory_guard.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace deberta::server {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

TEST(MemoryGuardTest, TheReserveIsASixteenthAndNotMuch) {
  EXPECT_EQ(MemoryReserve(160 * kMiB), 10 * kMiB);
  EXPECT_EQ(MemoryReserve(64 * 1024 * kMiB), 64 * kMiB);
}

TEST(MemoryGuardTest, MemoryIsShortWhileLessThanTheReserveIsLeft) {
  std::atomic<size_t> used = 0;
  const MemoryGuard guard(
      [&used] { return MemoryUse{.limit = 160 * kMiB, .used = used}; },
      absl::Milliseconds(1));
  const auto becomes = [&](bool is_short) {
    while (guard.is_short() != is_short) std::this_thread::yield();
  };
  becomes(false);
  used = 155 * kMiB;
  becomes(true);
  EXPECT_EQ(guard.left_bytes(), 5 * kMiB);
  used = 200 * kMiB;  // above the limit, as while the kernel takes it back
  while (guard.left_bytes() != 0) std::this_thread::yield();
  EXPECT_TRUE(guard.is_short());
  used = 140 * kMiB;
  becomes(false);
}

TEST(MemoryGuardTest, WithoutALimitItIsNeverShort) {
  MemoryGuard guard([] { return std::nullopt; }, absl::InfiniteDuration());
  guard.Look();
  EXPECT_FALSE(guard.is_short());
  EXPECT_EQ(guard.left_bytes(), 0u);
}

}  // namespace
}  // namespace deberta::server
