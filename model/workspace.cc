#include "model/workspace.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace deberta::model {
namespace {

constexpr size_t kCacheLine = 64;

}  // namespace

void FloatBuffer::Free::operator()(float* floats) const { std::free(floats); }

float* FloatBuffer::Reserve(size_t n) {
  if (n <= capacity_) return floats_.get();
  if (n > SIZE_MAX / sizeof(float) - kCacheLine) throw std::bad_alloc();
  const size_t bytes =
      (n * sizeof(float) + kCacheLine - 1) / kCacheLine * kCacheLine;
  floats_.reset();
  capacity_ = 0;
  auto* floats = static_cast<float*>(std::aligned_alloc(kCacheLine, bytes));
  if (floats == nullptr) throw std::bad_alloc();
  std::memset(floats, 0, bytes);
  floats_.reset(floats);
  capacity_ = bytes / sizeof(float);
  return floats;
}

Workspace::Workspace(int threads)
    : pool_(threads), thread_scratch_(static_cast<size_t>(threads)) {}

size_t Workspace::bytes() const {
  size_t floats = hidden.capacity() + encoded.capacity() +
                  row_scales.capacity() + projections.capacity() +
                  context.capacity() + dense.capacity() +
                  intermediate.capacity() + convolved.capacity() +
                  query_states.capacity() + head.capacity();
  for (const ThreadScratch& scratch : thread_scratch_) {
    floats += scratch.floats.capacity();
  }
  return floats * sizeof(float);
}

}  // namespace deberta::model
