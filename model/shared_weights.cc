#include "model/shared_weights.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "absl/hash/hash.h"

namespace deberta::model {
namespace {

using Bytes = std::span<const std::byte>;

Bytes BytesOf(const FloatBuffer& buffer) {
  return std::as_bytes(std::span(buffer.get(), buffer.capacity()));
}

// Of weights that differ the first bytes nearly always do.
size_t Key(Bytes bytes) {
  constexpr size_t kSample = 4096;
  const Bytes sample = bytes.first(std::min(bytes.size(), kSample));
  return absl::HashOf(
      bytes.size(),
      std::string_view(reinterpret_cast<const char*>(sample.data()),
                       sample.size()));
}

bool Equal(Bytes a, Bytes b) {
  return a.size() == b.size() &&
         (a.data() == b.data() ||
          std::memcmp(a.data(), b.data(), a.size()) == 0);
}

bool Equal(const TensorView& a, const TensorView& b) {
  return a.dtype == b.dtype && a.shape == b.shape && Equal(a.bytes, b.bytes);
}

}  // namespace

std::shared_ptr<const FloatBuffer> SharedWeights::Share(
    std::shared_ptr<const FloatBuffer> buffer) {
  const size_t key = Key(BytesOf(*buffer));
  const std::lock_guard lock(mutex_);
  std::erase_if(buffers_, [](const auto& b) { return b.second.expired(); });
  for (auto [at, end] = buffers_.equal_range(key); at != end; ++at) {
    std::shared_ptr<const FloatBuffer> other = at->second.lock();
    if (other != nullptr && Equal(BytesOf(*buffer), BytesOf(*other)))
      return other;
  }
  buffers_.emplace(key, buffer);
  return buffer;
}

HeldTensor SharedWeights::Share(HeldTensor tensor) {
  const size_t key = Key(tensor.tensor->bytes);
  const std::lock_guard lock(mutex_);
  std::erase_if(tensors_,
                [](const auto& t) { return t.second.holder.expired(); });
  for (auto [at, end] = tensors_.equal_range(key); at != end; ++at) {
    std::shared_ptr<const Checkpoint> holder = at->second.holder.lock();
    if (holder != nullptr && Equal(*tensor.tensor, *at->second.tensor))
      return {std::move(holder), at->second.tensor};
  }
  tensors_.emplace(key, Tensor{tensor.holder, tensor.tensor});
  return tensor;
}

}  // namespace deberta::model
