#include "tests/server/failing_allocator.h"

#include <cstddef>
#include <cstdlib>
#include <new>

void* operator new(size_t bytes) {
  if (FailsNow()) throw std::bad_alloc();
  void* const memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
