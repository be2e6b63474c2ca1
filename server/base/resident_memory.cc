#include "server/base/resident_memory.h"

#include <unistd.h>

#include <fstream>

namespace deberta::server {
namespace {

struct Pages {
  size_t size = 0;
  size_t resident = 0;
  size_t shared = 0;
};

Pages ReadPages() {
  Pages pages;
  std::ifstream("/proc/self/statm") >> pages.size >> pages.resident >>
      pages.shared;
  return pages;
}

size_t BytesOf(size_t pages) {
  return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

size_t ResidentBytes() { return BytesOf(ReadPages().resident); }

size_t AnonymousBytes() {
  const Pages pages = ReadPages();
  return BytesOf(pages.resident - pages.shared);
}

}  // namespace deberta::server
