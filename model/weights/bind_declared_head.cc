#include "model/weights/bind_declared_head.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace deberta::model {
namespace {

// Columns of the linear layer, whose shape the declaration does not say; of one
// that is missing, which the binder notes, any.
int64_t ColumnsOf(const std::string& tensors, const TensorBinder& binder) {
  const int64_t rows = binder.RowsOf(tensors + ".weight");
  return rows == 0 ? 1 : rows;
}

absl::StatusOr<std::vector<std::string>> LabelsOf(
    const DeclaredHead::Output& output, bool alone, size_t columns,
    const Config& config) {
  if (!output.labels.empty()) {
    if (output.labels.size() == columns) return output.labels;
    return absl::InvalidArgumentError(absl::StrCat(
        "head: ", output.tensors, " has ", columns, " columns, but ",
        output.labels.size(), " labels are declared"));
  }
  if (alone && config.labels.size() == columns) return config.labels;
  std::vector<std::string> labels;
  for (size_t i = 0; i < columns; ++i)
    labels.push_back(absl::StrCat("LABEL_", i));
  return labels;
}

}  // namespace

absl::StatusOr<HeadWeights> BindDeclared(const DeclaredHead& declared,
                                         const Config& config,
                                         TensorBinder& binder) {
  HeadWeights weights;
  weights.head = Head::kSequenceClassification;
  weights.pooling = declared.pooling;
  weights.marker = declared.marker;
  int64_t width = config.hidden_size;
  for (const DeclaredHead::Layer& layer : declared.layers) {
    HeadLayerWeights& bound = weights.layers.emplace_back();
    switch (layer.kind) {
      case DeclaredHead::Layer::Kind::kLinear: {
        const int64_t out = ColumnsOf(layer.tensors, binder);
        bound.linear = binder.LinearWithOptionalBias(layer.tensors, out, width);
        width = out;
        break;
      }
      case DeclaredHead::Layer::Kind::kLayerNorm:
        bound.norm = binder.Norm(layer.tensors, width);
        break;
      case DeclaredHead::Layer::Kind::kActivation:
        bound.activation = layer.activation;
        break;
    }
  }
  for (const DeclaredHead::Output& output : declared.outputs) {
    const int64_t columns = ColumnsOf(output.tensors, binder);
    weights.outputs.push_back(
        binder.LinearWithOptionalBias(output.tensors, columns, width));
    if (binder.RowsOf(output.tensors + ".weight") == 0) continue;
    absl::StatusOr<std::vector<std::string>> labels =
        LabelsOf(output, declared.outputs.size() == 1,
                 static_cast<size_t>(columns), config);
    if (!labels.ok()) return labels.status();
    weights.labels.insert(weights.labels.end(), labels->begin(), labels->end());
  }
  return weights;
}

}  // namespace deberta::model
