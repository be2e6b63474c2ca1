// A task's request, made of named texts and parameters.

#ifndef SERVER_INFERENCE_REQUEST_FIELDS_H_
#define SERVER_INFERENCE_REQUEST_FIELDS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "inference/inference.pb.h"
#include "server/inference/tensors.h"

namespace deberta::server {

// The names of the tensors that `type`, the request of a task, is made of,
// those of each input first: "text" or the text fields of an input, then lists
// of texts and single texts of the request.
std::vector<std::string> TensorNames(const google::protobuf::Descriptor& type);

// Sets the field of `request` that each tensor is named after; of a text of
// each input there is one element an input. A lone tensor of another name is
// the first of TensorNames(), as clients call theirs what they like.
// InputErrors about "inputs[i]".
absl::Status SetTexts(std::vector<TextTensor> tensors,
                      google::protobuf::Message* request);

// Sets the number, flag, text or enum (by its name) of `request` that
// `parameter` is named after. An InputError about "parameters".
absl::Status SetParameter(const std::string& name,
                          const inference::InferParameter& parameter,
                          google::protobuf::Message* request);

}  // namespace deberta::server

#endif  // SERVER_INFERENCE_REQUEST_FIELDS_H_
