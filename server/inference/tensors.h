// Tensors of the Open Inference Protocol <-> lists of values.

#ifndef SERVER_INFERENCE_TENSORS_H_
#define SERVER_INFERENCE_TENSORS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "inference/inference.pb.h"

namespace deberta::server {

// Of all input tensors of a request.
inline constexpr size_t kMostElements = 100'000;

// A list of texts, its shape forgotten.
struct TextTensor {
  std::string name;
  std::vector<std::string> values;
};

// The input tensors, all BYTES, of the contents or of the raw ones; takes their
// texts out of the request. An InputError names the tensor whose datatype,
// shape or contents are wrong, or that has too many elements.
absl::StatusOr<std::vector<TextTensor>> TakeTextTensors(
    inference::ModelInferRequest* request);

struct Tensor {
  std::string name;
  std::vector<int64_t> shape;
  // BYTES, FP32, INT32.
  std::variant<std::vector<std::string>, std::vector<float>,
               std::vector<int32_t>>
      values;
};

// Adds the tensor to the response, its values among the raw ones if `raw`.
void AddTensor(Tensor tensor, bool raw,
               inference::ModelInferResponse* response);

}  // namespace deberta::server

#endif  // SERVER_INFERENCE_TENSORS_H_
