#include "server/base/memory_trim.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "server/base/clock.h"
#include "server/base/resident_memory.h"

namespace deberta::server {
namespace {

// The sanitizers' allocators keep what is free for other reasons.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kSystemAllocator = false;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
constexpr bool kSystemAllocator = false;
#else
constexpr bool kSystemAllocator = true;
#endif
#else
constexpr bool kSystemAllocator = true;
#endif

// Free blocks below one that is in use: the allocator keeps them.
TEST(MemoryTrimTest, GivesBackWhatTheAllocatorKeeps) {
  if (!kSystemAllocator) GTEST_SKIP() << "a sanitizer's allocator";
  constexpr size_t kBlocks = 64 << 10;
  constexpr size_t kBytes = 1024;
  const MemoryTrim trim(absl::Milliseconds(1));
  const size_t before = ResidentBytes();
  std::vector<std::unique_ptr<char[]>> blocks(kBlocks);
  for (auto& block : blocks) {
    block = std::make_unique<char[]>(kBytes);
    std::memset(block.get(), 1, kBytes);
  }
  const auto last = std::make_unique<char[]>(kBytes);
  ASSERT_GE(ResidentBytes(), before + kBlocks * kBytes);
  for (auto& block : blocks) block.reset();
  const absl::Time deadline = SteadyNow() + absl::Seconds(60);
  while (ResidentBytes() > before + kBlocks * kBytes / 4 &&
         SteadyNow() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_LE(ResidentBytes(), before + kBlocks * kBytes / 4);
}

TEST(MemoryTrimTest, EndsAtOnce) {
  const absl::Time begin = SteadyNow();
  { const MemoryTrim trim; }
  EXPECT_LT(SteadyNow() - begin, absl::Seconds(4));
}

}  // namespace
}  // namespace deberta::server
