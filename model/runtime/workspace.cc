#include "model/runtime/workspace.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>
#include <utility>

namespace deberta::model {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;

// Zeroed pages of the system. From a huge page's size on, as many huge pages as
// are filled: what is read through and through is then found with fewer walks,
// and a new buffer with fewer faults.
float* MapZeroed(size_t bytes) {
  const size_t slack = bytes >= kHugePage ? kHugePage : 0;
  void* const mapped = mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  if (slack == 0) return static_cast<float*>(mapped);
  auto* const begin = static_cast<std::byte*>(mapped);
  const size_t before =
      (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
  std::byte* const aligned = begin + before;
  if (before > 0) munmap(begin, before);
  if (slack > before) munmap(aligned + bytes, slack - before);
  // It may be denied, and nothing is lost but time.
  madvise(aligned, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return reinterpret_cast<float*>(aligned);
}

}  // namespace

FloatBuffer::FloatBuffer(FloatBuffer&& other) noexcept
    : floats_(std::exchange(other.floats_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)) {}

FloatBuffer& FloatBuffer::operator=(FloatBuffer&& other) noexcept {
  std::swap(floats_, other.floats_);
  std::swap(capacity_, other.capacity_);
  return *this;
}

FloatBuffer::~FloatBuffer() {
  if (floats_ != nullptr) munmap(floats_, capacity_ * sizeof(float));
}

float* FloatBuffer::Reserve(size_t n) {
  if (n <= capacity_) return floats_;
  if (n > SIZE_MAX / sizeof(float) - kPage) throw std::bad_alloc();
  *this = FloatBuffer();
  const size_t bytes = (n * sizeof(float) + kPage - 1) / kPage * kPage;
  floats_ = MapZeroed(bytes);
  capacity_ = bytes / sizeof(float);
  return floats_;
}

Workspace::Workspace(int threads)
    : pool_(threads),
      thread_scratch_(std::make_shared<std::vector<ThreadScratch>>(
          static_cast<size_t>(threads))) {}

Workspace::Workspace(std::shared_ptr<std::vector<ThreadScratch>> scratch)
    : pool_(1), thread_scratch_(std::move(scratch)) {}

size_t Workspace::bytes() const {
  size_t floats = hidden.capacity() + encoded.capacity() +
                  row_scales.capacity() + projections.capacity() +
                  context.capacity() + dense.capacity() +
                  intermediate.capacity() + convolved.capacity() +
                  query_states.capacity() + head.capacity() + logits.capacity();
  for (const ThreadScratch& scratch : *thread_scratch_) {
    floats += scratch.floats.capacity();
  }
  return floats * sizeof(float);
}

}  // namespace deberta::model
