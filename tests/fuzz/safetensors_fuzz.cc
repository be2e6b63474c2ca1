// Whatever a weights file holds, it is refused or every element can be read.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "model/checkpoint/safetensors.h"
#include "model/checkpoint/weight_names.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  using namespace deberta::model;
  const std::span file(input, size);
  const auto contents = ParseSafetensors(std::as_bytes(file));
  if (contents.ok()) {
    for (const auto& [name, tensor] : contents->tensors) {
      NormalizeWeightName(name);
      uint64_t elements = 1;
      for (const int64_t extent : tensor.shape) {
        elements *= static_cast<uint64_t>(extent);
      }
      if (ReadFloats(tensor).size() != elements) std::abort();
    }
  }
  const auto index =
      ParseSafetensorsIndex({reinterpret_cast<const char*>(input), size});
  if (!index.ok()) return 0;
  for (const auto& [name, path] : *index) {
    if (path.find('/') != path.npos) std::abort();
  }
  return 0;
}
