#include "model/checkpoint/tf_weight_names.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace deberta::model {
namespace {

constexpr char kKernel[] = "kernel";

std::string_view LastPart(std::string_view name) {
  const size_t slash = name.rfind('/');
  return slash == name.npos ? name : name.substr(slash + 1);
}

std::string_view WithoutOutputNumber(std::string_view name) {
  if (name.ends_with(":0")) name.remove_suffix(2);
  return name;
}

bool IsKernel(std::string_view name) {
  return LastPart(WithoutOutputNumber(name)) == kKernel;
}

// The rest of `name` after its first part; nothing if it has only one.
std::string_view AfterFirstPart(std::string_view name) {
  const size_t slash = name.find('/');
  return slash == name.npos ? std::string_view() : name.substr(slash + 1);
}

// Of a Keras layer's weight; `copy` where the weight is another layer's.
struct LayerWeight {
  std::string_view variable;
  bool copy = false;
};

LayerWeight SplitLayerWeight(std::string_view name) {
  LayerWeight weight;
  weight.variable = AfterFirstPart(AfterFirstPart(name));
  const std::string_view layer = name.substr(0, name.find('/'));
  weight.copy = weight.variable.substr(0, weight.variable.find('/')) != layer;
  return weight;
}

template <size_t kSize>
void ReverseAxes(std::span<const std::byte> from, size_t rows, size_t middle,
                 size_t columns, std::byte* to) {
  // Blocks of rows and columns keep both sides in cache.
  constexpr size_t kBlock = 32;
  for (size_t r0 = 0; r0 < rows; r0 += kBlock) {
    for (size_t c0 = 0; c0 < columns; c0 += kBlock) {
      for (size_t m = 0; m < middle; ++m) {
        for (size_t r = r0; r < std::min(rows, r0 + kBlock); ++r) {
          for (size_t c = c0; c < std::min(columns, c0 + kBlock); ++c) {
            std::memcpy(to + ((c * middle + m) * rows + r) * kSize,
                        from.data() + ((r * middle + m) * columns + c) * kSize,
                        kSize);
          }
        }
      }
    }
  }
}

// TensorFlow multiplies from the other side: [in, out] for [out, in], and
// [width, in, out] for [out, in, width].
absl::StatusOr<TensorView> TurnedAround(const std::string& name,
                                        const TensorView& tensor,
                                        std::vector<std::byte>& buffer) {
  const size_t axes = tensor.shape.size();
  if (axes != 2 && axes != 3) {
    return absl::InvalidArgumentError(absl::StrCat(
        "tensor \"", name, "\": expected a kernel of 2 or 3 axes, got ",
        ShapeText(tensor.shape)));
  }
  const auto rows = static_cast<size_t>(tensor.shape.front());
  const auto columns = static_cast<size_t>(tensor.shape.back());
  const auto middle = axes == 3 ? static_cast<size_t>(tensor.shape[1]) : 1;
  buffer.resize(tensor.bytes.size());
  if (!buffer.empty()) {
    switch (SizeOf(tensor.dtype)) {
      case 2:
        ReverseAxes<2>(tensor.bytes, rows, middle, columns, buffer.data());
        break;
      case 4:
        ReverseAxes<4>(tensor.bytes, rows, middle, columns, buffer.data());
        break;
      case 8:
        ReverseAxes<8>(tensor.bytes, rows, middle, columns, buffer.data());
        break;
    }
  }
  TensorView turned = tensor;
  std::reverse(turned.shape.begin(), turned.shape.end());
  turned.bytes = buffer;
  return turned;
}

}  // namespace

std::string_view WithoutTfModelName(std::string_view name) {
  return name.find('/') == name.npos ? name : AfterFirstPart(name);
}

std::string TfVariableName(std::string_view name, Family family) {
  name = WithoutOutputNumber(name);
  // "layer_._0" is entry 0 of the list "layer".
  std::vector<std::string> parts = absl::StrSplit(
      absl::StrReplaceAll(absl::string_view(name.data(), name.size()),
                          {{"_._", "/"}}),
      '/');
  std::string& last = parts.back();
  if (last == kKernel || last == "embeddings" || last == "gamma") {
    last = "weight";
  } else if (last == "beta") {
    last = "bias";
  }
  if (family == Family::kDebertaV2 && parts.size() > 1) {
    std::string& module = parts[parts.size() - 2];
    if (module == "pos_proj") module = "pos_key_proj";
    if (module == "pos_q_proj") module = "pos_query_proj";
  }
  return absl::StrJoin(parts, ".");
}

absl::StatusOr<TfWeights> MapTfWeights(const SafetensorsContents& file,
                                       TfNames names, Family family) {
  TfWeights weights;
  // The variable of a name; nothing if it is a copy or no such name.
  const auto variable_of =
      [&](const std::string& name) -> absl::StatusOr<std::string> {
    if (names == TfNames::kVariables) return TfVariableName(name, family);
    const LayerWeight weight = SplitLayerWeight(name);
    if (weight.variable.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "tensor \"", name, "\": expected a name LAYER/MODEL/VARIABLE"));
    }
    if (weight.copy) {
      weights.skipped.emplace(name, "a copy of another layer's weights");
      return "";
    }
    return TfVariableName(weight.variable, family);
  };
  for (const auto& [name, tensor] : file.tensors) {
    const absl::StatusOr<std::string> variable = variable_of(name);
    if (!variable.ok()) return variable.status();
    if (variable->empty()) continue;
    TensorView view = tensor;
    if (IsKernel(name)) {
      std::vector<std::byte>& buffer = weights.buffers.emplace_back();
      absl::StatusOr<TensorView> turned = TurnedAround(name, tensor, buffer);
      if (!turned.ok()) return turned.status();
      view = *std::move(turned);
    }
    if (!weights.tensors.emplace(*variable, std::move(view)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor \"", name, "\": a second tensor for the name \"",
                       *variable, "\""));
    }
    weights.source_names.emplace(*variable, name);
  }
  for (const auto& [name, type] : file.other_types) {
    const absl::StatusOr<std::string> variable = variable_of(name);
    if (!variable.ok()) return variable.status();
    if (variable->empty()) continue;
    weights.other_types.emplace(*variable, type);
    weights.skipped.emplace(name, absl::StrCat("of type ", type));
  }
  return weights;
}

}  // namespace deberta::model
