// Whatever an archive holds, it is refused or its entries lie within it.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <span>

#include "model/checkpoint/zip.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  const auto file = std::as_bytes(std::span(input, size));
  const auto entries = deberta::model::ParseZip(file);
  if (!entries.ok()) {
    if (entries.status().message().size() > 1000) std::abort();
    return 0;
  }
  size_t held = 0;
  for (const auto& [name, bytes] : *entries) {
    const std::less<const std::byte*> before;
    if (before(bytes.data(), file.data()) ||
        before(file.data() + size, bytes.data() + bytes.size())) {
      std::abort();
    }
    held += bytes.size();
  }
  // Entries that overlapped could hold more than the file does.
  if (held > size) std::abort();
  return 0;
}
