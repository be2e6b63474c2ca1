// A share of many, such as of calls that are logged.

#ifndef SERVER_BASE_SAMPLER_H_
#define SERVER_BASE_SAMPLER_H_

#include <atomic>
#include <cstdint>

namespace deberta::server {

// Thread-safe, and never waits.
class Sampler {
 public:
  // `share`: 0 takes none, 1 all.
  explicit Sampler(double share) : share_(share) {}

  // Whether the next is taken. Which are is mixed, so that callers with a
  // rhythm are not met at the same beat.
  bool Take() {
    if (share_ <= 0) return false;
    const uint64_t mixed = Mix(next_.fetch_add(1, std::memory_order_relaxed));
    // The upper 53 bits as a number from 0 to 1, which it does not reach.
    return static_cast<double>(mixed >> 11) * 0x1p-53 < share_;
  }

 private:
  // SplitMix64 (Steele, Lea, Flood 2014): a permutation of 64 bits.
  static uint64_t Mix(uint64_t x) {
    x = (x + 1) * 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  const double share_;
  std::atomic<uint64_t> next_ = 0;
};

}  // namespace deberta::server

#endif  // SERVER_BASE_SAMPLER_H_
