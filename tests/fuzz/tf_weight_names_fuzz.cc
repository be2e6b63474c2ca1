// Whatever TensorFlow's weights are called and however they are laid out, they
// are refused or every element can be read, in no more memory than the file's.
// The first byte says which names and which family; a safetensors file follows.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "model/checkpoint/safetensors.h"
#include "model/checkpoint/tf_weight_names.h"
#include "model/checkpoint/weight_names.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  using namespace deberta::model;
  if (size == 0) return 0;
  const auto contents =
      ParseSafetensors(std::as_bytes(std::span(input + 1, size - 1)));
  if (!contents.ok()) return 0;
  const auto names =
      (input[0] & 1) != 0 ? TfNames::kKerasLayers : TfNames::kVariables;
  const auto family =
      (input[0] & 2) != 0 ? Family::kDebertaV2 : Family::kDeberta;
  const auto weights = MapTfWeights(*contents, names, family);
  if (!weights.ok()) return 0;
  size_t copied = 0;
  for (const auto& buffer : weights->buffers) copied += buffer.size();
  if (copied > size) std::abort();
  for (const auto& [name, tensor] : weights->tensors) {
    NormalizeWeightName(name);
    uint64_t elements = 1;
    for (const int64_t extent : tensor.shape) {
      elements *= static_cast<uint64_t>(extent);
    }
    if (ReadFloats(tensor).size() != elements) std::abort();
    const auto source = weights->source_names.find(name);
    if (source == weights->source_names.end() ||
        !contents->tensors.contains(source->second)) {
      std::abort();
    }
  }
  // Every tensor is there or reported.
  if (weights->tensors.size() + weights->skipped.size() !=
      contents->tensors.size() + contents->other_types.size()) {
    std::abort();
  }
  return 0;
}
