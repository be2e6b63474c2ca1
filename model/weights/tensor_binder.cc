#include "model/weights/tensor_binder.h"

#include "absl/strings/str_cat.h"
#include "model/checkpoint/weight_names.h"

namespace deberta::model {
namespace {

constexpr size_t kMostListed = 20;

// "; 3 missing: a, b, c", or nothing.
void AppendList(const char* kind, const std::vector<std::string>& items,
                std::string& message) {
  if (items.empty()) return;
  absl::StrAppend(&message, "; ", items.size(), " ", kind, ": ",
                  ListOfNames(items));
}

}  // namespace

bool TensorBinder::Has(std::string_view name) const {
  return checkpoint_.Find(name) != nullptr;
}

bool TensorBinder::HasAny(std::string_view prefix) const {
  const auto first = checkpoint_.tensors().lower_bound(prefix);
  return first != checkpoint_.tensors().end() &&
         first->first.starts_with(prefix);
}

int64_t TensorBinder::RowsOf(std::string_view name) const {
  const TensorView* tensor = checkpoint_.Find(name);
  return tensor == nullptr || tensor->shape.size() != 2 ? 0 : tensor->shape[0];
}

const TensorView* TensorBinder::Tensor(const std::string& name,
                                       std::initializer_list<int64_t> shape) {
  const std::vector<int64_t> expected(shape);
  const TensorView* tensor = checkpoint_.Find(name);
  if (tensor == nullptr) {
    const auto other = checkpoint_.other_types().find(name);
    missing_.push_back(other == checkpoint_.other_types().end()
                           ? name
                           : absl::StrCat(name, " (of type ", other->second,
                                          ", expected F32, F16, BF16 or F64)"));
    return nullptr;
  }
  if (tensor->shape != expected) {
    misshapen_.push_back(absl::StrCat(name, " is ", ShapeText(tensor->shape),
                                      ", expected ", ShapeText(expected)));
  }
  if (used_.insert(name).second) {
    parameters_ += static_cast<int64_t>(tensor->elements());
  }
  found_.push_back(tensor);
  return tensor;
}

LinearWeights TensorBinder::Linear(const std::string& name, int64_t out,
                                   int64_t in) {
  return {Tensor(name + ".weight", {out, in}), Tensor(name + ".bias", {out})};
}

LinearWeights TensorBinder::LinearWithOptionalBias(const std::string& name,
                                                   int64_t out, int64_t in) {
  if (Has(name + ".bias")) return Linear(name, out, in);
  return {Tensor(name + ".weight", {out, in}), nullptr};
}

LayerNormWeights TensorBinder::Norm(const std::string& name, int64_t size) {
  return {Tensor(name + ".weight", {size}), Tensor(name + ".bias", {size})};
}

absl::Status TensorBinder::status() const {
  if (missing_.empty() && misshapen_.empty()) return absl::OkStatus();
  std::string message =
      absl::StrCat(checkpoint_.weights_path(), ": tensors do not fit ",
                   checkpoint_.config_file());
  AppendList("missing", missing_, message);
  AppendList("misshapen", misshapen_, message);
  AppendList("unexpected", Unexpected(), message);
  return absl::InvalidArgumentError(message);
}

std::vector<std::string> TensorBinder::Unexpected() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : checkpoint_.tensors()) {
    const WeightKind kind = KindOfWeight(name);
    if (!used_.contains(name) && kind != WeightKind::kIdle &&
        kind != WeightKind::kPretrainingHead) {
      names.push_back(name);
    }
  }
  return names;
}

std::string ListOfNames(const std::vector<std::string>& names) {
  std::string list;
  for (size_t i = 0; i < names.size() && i < kMostListed; ++i) {
    absl::StrAppend(&list, i == 0 ? "" : ", ", names[i]);
  }
  if (names.size() > kMostListed) {
    absl::StrAppend(&list, " and ", names.size() - kMostListed, " more");
  }
  return list;
}

}  // namespace deberta::model
