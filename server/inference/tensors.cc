#include "server/inference/tensors.h"

#include <bit>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/shared/task.h"
#include "tokenizer/text/unicode.h"

namespace deberta::server {
namespace {

using inference::InferTensorContents;
using inference::ModelInferRequest;

constexpr char kBytes[] = "BYTES";
constexpr size_t kLengthBytes = 4;
static_assert(std::endian::native == std::endian::little,
              "raw contents have the lowest byte first");

std::string FieldOf(int tensor) { return absl::StrCat("inputs[", tensor, "]"); }

// Of a shape; -1 where it is none.
int64_t Elements(const google::protobuf::RepeatedField<int64_t>& shape) {
  constexpr int64_t kMost = int64_t{1} << 31;  // more than a request can hold
  int64_t elements = 1;
  for (const int64_t size : shape) {
    if (size < 0 || size > kMost) return -1;
    elements *= size;
    if (elements > kMost) return -1;
  }
  return elements;
}

// The elements of a tensor's raw contents.
absl::StatusOr<std::vector<std::string>> Unpack(std::string_view raw,
                                                int tensor) {
  std::vector<std::string> values;
  while (!raw.empty() && values.size() <= kMostElements) {
    uint32_t size = 0;
    if (raw.size() >= kLengthBytes)
      std::memcpy(&size, raw.data(), kLengthBytes);
    if (raw.size() < kLengthBytes || raw.size() - kLengthBytes < size) {
      return InputError(
          absl::StrCat("raw_input_contents[", tensor, "]"),
          absl::StrCat("expected the length and the bytes of each element, "
                       "element ",
                       values.size(), " is cut off"));
    }
    values.emplace_back(raw.substr(kLengthBytes, size));
    raw.remove_prefix(kLengthBytes + size);
  }
  return values;
}

absl::StatusOr<std::vector<std::string>> TakeValues(ModelInferRequest* request,
                                                    int tensor) {
  if (request->raw_input_contents_size() > 0) {
    const std::string raw =
        std::move(*request->mutable_raw_input_contents(tensor));
    return Unpack(raw, tensor);
  }
  auto* contents = request->mutable_inputs(tensor)
                       ->mutable_contents()
                       ->mutable_bytes_contents();
  return std::vector<std::string>(std::make_move_iterator(contents->begin()),
                                  std::make_move_iterator(contents->end()));
}

absl::Status CheckContents(const ModelInferRequest& request) {
  const int raw = request.raw_input_contents_size();
  if (raw == 0) return absl::OkStatus();
  if (raw != request.inputs_size()) {
    return InputError(
        "raw_input_contents",
        absl::StrCat("expected one for each of ", request.inputs_size(),
                     " inputs, got ", raw));
  }
  for (int i = 0; i < request.inputs_size(); ++i) {
    if (request.inputs(i).has_contents()) {
      return InputError(FieldOf(i) + ".contents",
                        "expected none beside raw_input_contents");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<TextTensor> TakeTextTensor(ModelInferRequest* request,
                                          int index) {
  auto* input = request->mutable_inputs(index);
  if (input->datatype() != kBytes) {
    return InputError(
        FieldOf(index) + ".datatype",
        absl::StrCat("expected BYTES, got \"", input->datatype(), "\""));
  }
  absl::StatusOr<std::vector<std::string>> values = TakeValues(request, index);
  if (!values.ok()) return values.status();
  for (size_t i = 0; i < values->size(); ++i) {
    if (tokenizer::FindInvalidUtf8((*values)[i]).has_value()) {
      return InputError(FieldOf(index),
                        absl::StrCat("element ", i, " is not UTF-8"));
    }
  }
  const int64_t elements = Elements(input->shape());
  if (elements != static_cast<int64_t>(values->size())) {
    return InputError(
        FieldOf(index) + ".shape",
        absl::StrCat("expected one of ", values->size(),
                     " elements, which the contents have, got one of ",
                     elements));
  }
  return TextTensor{std::move(*input->mutable_name()), *std::move(values)};
}

void AddBytes(std::string_view text, std::string* raw) {
  const auto size = static_cast<uint32_t>(text.size());
  char length[kLengthBytes];
  std::memcpy(length, &size, kLengthBytes);
  raw->append(length, kLengthBytes).append(text);
}

// How values of a type are written.
struct Writer {
  inference::ModelInferResponse::InferOutputTensor* output;
  std::string* raw;  // null: into the contents

  void operator()(std::vector<std::string> values) const {
    output->set_datatype(kBytes);
    for (std::string& value : values) {
      if (raw != nullptr) {
        AddBytes(value, raw);
      } else {
        output->mutable_contents()->add_bytes_contents(std::move(value));
      }
    }
  }
  void operator()(const std::vector<float>& values) const {
    output->set_datatype("FP32");
    Numbers(values, output->mutable_contents()->mutable_fp32_contents());
  }
  void operator()(const std::vector<int32_t>& values) const {
    output->set_datatype("INT32");
    Numbers(values, output->mutable_contents()->mutable_int_contents());
  }

 private:
  template <typename T>
  void Numbers(const std::vector<T>& values,
               google::protobuf::RepeatedField<T>* contents) const {
    if (raw != nullptr) {
      output->clear_contents();
      raw->assign(reinterpret_cast<const char*>(values.data()),
                  values.size() * sizeof(T));
    } else {
      contents->Add(values.begin(), values.end());
    }
  }
};

}  // namespace

absl::StatusOr<std::vector<TextTensor>> TakeTextTensors(
    ModelInferRequest* request) {
  if (absl::Status s = CheckContents(*request); !s.ok()) return s;
  std::vector<TextTensor> tensors;
  size_t elements = 0;
  for (int i = 0; i < request->inputs_size(); ++i) {
    absl::StatusOr<TextTensor> tensor = TakeTextTensor(request, i);
    if (!tensor.ok()) return tensor.status();
    elements += tensor->values.size();
    if (elements > kMostElements) {
      return InputError(FieldOf(i),
                        absl::StrCat("expected at most ", kMostElements,
                                     " elements of all inputs"));
    }
    tensors.push_back(*std::move(tensor));
  }
  return tensors;
}

void AddTensor(Tensor tensor, bool raw,
               inference::ModelInferResponse* response) {
  auto* output = response->add_outputs();
  output->set_name(std::move(tensor.name));
  output->mutable_shape()->Add(tensor.shape.begin(), tensor.shape.end());
  std::visit(
      Writer{output, raw ? response->add_raw_output_contents() : nullptr},
      std::move(tensor.values));
}

}  // namespace deberta::server
