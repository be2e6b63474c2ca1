// Whatever a PyTorch file holds, it is refused or every element can be read.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "model/checkpoint/torch_file.h"
#include "tests/model/checkpoint/pickle_bytes.h"

namespace {

using namespace deberta::model;

void Check(std::span<const std::byte> file) {
  const auto contents = ParseTorchFile(file);
  if (!contents.ok()) {
    if (contents.status().message().size() > 2000) std::abort();
    return;
  }
  size_t copied = 0;
  for (const auto& buffer : contents->buffers) copied += buffer.size();
  if (copied > 2 * file.size()) std::abort();
  for (const auto& [name, tensor] : contents->tensors) {
    uint64_t elements = 1;
    for (const int64_t extent : tensor.shape) {
      elements *= static_cast<uint64_t>(extent);
    }
    if (tensor.bytes.size() != elements * SizeOf(tensor.dtype)) std::abort();
    // Tensors may share what they hold, so the first of it stands for all.
    if (elements > 0 && elements <= 64) ReadFloats(tensor);
  }
}

}  // namespace

// A file as it is; and as the pickle of an archive, whose directory and offsets
// no mutation would keep.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  Check(std::as_bytes(std::span(input, size)));
  const std::string archive =
      TorchZip({reinterpret_cast<const char*>(input), size},
               {{"0", std::string(96, 'x')}, {"1", std::string(8, 'y')}});
  Check(std::as_bytes(std::span(archive.data(), archive.size())));
  return 0;
}
