// What the pickle of a PyTorch file says about its tensors. Spec 6.3.

#ifndef MODEL_CHECKPOINT_TORCH_PICKLE_H_
#define MODEL_CHECKPOINT_TORCH_PICKLE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/checkpoint/pickle.h"
#include "model/checkpoint/tensor.h"

namespace deberta::model {

struct TorchElement {
  const char* name = "";  // as safetensors spells it
  uint64_t bytes = 0;
  std::optional<DType> dtype;  // of the types that we read
};

// What is stored under one key: `elements` in a row.
struct TorchStorage {
  TorchElement element;
  uint64_t elements = 0;
};

// A tensor's place within its storage, in elements; checked to lie there.
struct TorchTensor {
  std::string storage;  // its key
  uint64_t offset = 0;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
};

struct TorchState {
  // By key; also those of tensors elsewhere in the pickle.
  std::map<std::string, TorchStorage, std::less<>> storages;
  std::map<std::string, TorchTensor, std::less<>> tensors;  // by name
  // The entries beside them: "dict", "int".
  NameMap others;
};

// The names that a file of tensors may use.
std::span<const PickleGlobal> TorchGlobals();

// Takes the root apart: a dict of tensors by name, or one that holds such a
// dict under "state_dict". REQUIRES: `pickle` was parsed with TorchGlobals().
absl::StatusOr<TorchState> ReadTorchState(const Pickle& pickle);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_TORCH_PICKLE_H_
