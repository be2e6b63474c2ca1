// Lets one allocation of the program that it is loaded into fail: the number in
// the eight bytes of the file FAILING_NEW_FILE counts down, and where it comes
// from 1 to 0, operator new throws. 0 and less: none fails.
//
//   c++ -shared -fPIC -o failing_new.so failing_new.cc
//   LD_PRELOAD=./failing_new.so FAILING_NEW_FILE=FILE PROGRAM

#include <fcntl.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

std::atomic<int64_t>* Open() {
  const char* path = std::getenv("FAILING_NEW_FILE");
  const int file = path == nullptr ? -1 : open(path, O_RDWR);
  void* memory =
      mmap(nullptr, 8, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  return memory == MAP_FAILED ? nullptr
                              : static_cast<std::atomic<int64_t>*>(memory);
}

std::atomic<int64_t>* const left = Open();

void* Allocate(size_t bytes, size_t alignment) {
  if (left != nullptr && left->load(std::memory_order_relaxed) > 0 &&
      left->fetch_sub(1) == 1) {
    throw std::bad_alloc();
  }
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, bytes) != 0) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t bytes) { return Allocate(bytes, 16); }
void* operator new[](size_t bytes) { return Allocate(bytes, 16); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  return Allocate(bytes, static_cast<size_t>(alignment));
}
void* operator new[](size_t bytes, std::align_val_t alignment) {
  return Allocate(bytes, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
