#include "model/checkpoint/torch_pickle.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/untrusted_text.h"

namespace deberta::model {
namespace {

using Kind = PickleValue::Kind;
using Values = std::span<const PickleValue>;

constexpr size_t kMaxDimensions = 8;
// PyTorch's keys are numbers.
constexpr size_t kMaxKeyBytes = 64;
// Counts of bytes below 2^63 keep sizes and offsets within int64_t.
constexpr uint64_t kMaxBytes = std::numeric_limits<int64_t>::max();

constexpr PickleGlobal kGlobals[] = {
    {"torch._utils._rebuild_tensor_v2", true},
    {"torch._utils._rebuild_tensor", true},
    {"torch._utils._rebuild_parameter", true},
    {"torch.FloatStorage"},
    {"torch.HalfStorage"},
    {"torch.BFloat16Storage"},
    {"torch.DoubleStorage"},
    {"torch.LongStorage"},
    {"torch.IntStorage"},
    {"torch.ShortStorage"},
    {"torch.CharStorage"},
    {"torch.ByteStorage"},
    {"torch.BoolStorage"},
    {"torch.storage.UntypedStorage"},
};
// Indices in kGlobals.
constexpr int64_t kRebuildTensorV2 = 0;
constexpr int64_t kRebuildTensor = 1;
constexpr int64_t kRebuildParameter = 2;
constexpr int64_t kFirstStorage = 3;

// Of kGlobals from kFirstStorage on.
constexpr TorchElement kElements[] = {
    {"F32", 4, DType::kF32},   {"F16", 2, DType::kF16},
    {"BF16", 2, DType::kBF16}, {"F64", 8, DType::kF64},
    {"I64", 8, std::nullopt},  {"I32", 4, std::nullopt},
    {"I16", 2, std::nullopt},  {"I8", 1, std::nullopt},
    {"U8", 1, std::nullopt},   {"BOOL", 1, std::nullopt},
    {"U8", 1, std::nullopt},  // untyped
};
static_assert(std::size(kGlobals) == kFirstStorage + std::size(kElements));

absl::Status Malformed(const std::string& what) {
  return absl::InvalidArgumentError(what);
}

// Part of a storage, in its elements: the whole, or a view of it.
struct StorageRange {
  std::string key;
  uint64_t first = 0;
  uint64_t count = 0;
};

class StateReader {
 public:
  explicit StateReader(const Pickle& pickle) : pickle_(pickle) {}

  absl::Status Read();
  TorchState Finish() { return std::move(state_); }

 private:
  absl::StatusOr<std::vector<std::string_view>> Names(
      const PickleValue& dict) const;
  absl::StatusOr<PickleValue> FindTensors();
  absl::Status ReadEntry(std::string_view name, const PickleValue& value);
  absl::StatusOr<TorchTensor> ReadTensor(const PickleValue& value);
  absl::StatusOr<StorageRange> ReadStorage(const PickleValue& value);
  absl::StatusOr<StorageRange> ReadStorageView(const PickleValue& view,
                                               StorageRange whole);
  absl::Status Declare(const std::string& key, const TorchStorage& storage);
  std::optional<uint64_t> Count(const PickleValue& value) const;
  std::optional<std::vector<int64_t>> Counts(const PickleValue& value) const;

  const Pickle& pickle_;
  TorchState state_;
};

std::optional<uint64_t> StateReader::Count(const PickleValue& value) const {
  if (!value.Is(Kind::kInt) || value.number < 0) return std::nullopt;
  return static_cast<uint64_t>(value.number);
}

std::optional<std::vector<int64_t>> StateReader::Counts(
    const PickleValue& value) const {
  if (!value.Is(Kind::kTuple)) return std::nullopt;
  const Values items = pickle_.Items(value);
  if (items.size() > kMaxDimensions) return std::nullopt;
  std::vector<int64_t> counts;
  for (const PickleValue& item : items) {
    if (!Count(item)) return std::nullopt;
    counts.push_back(item.number);
  }
  return counts;
}

absl::Status StateReader::Declare(const std::string& key,
                                  const TorchStorage& storage) {
  if (storage.elements > kMaxBytes / storage.element.bytes) {
    return Malformed(absl::StrCat("storage ", Quoted(key), ": ",
                                  storage.elements, " elements of ",
                                  storage.element.name, " are too many"));
  }
  const auto [it, added] = state_.storages.emplace(key, storage);
  const TorchStorage& first = it->second;
  if (!added && (first.elements != storage.elements ||
                 first.element.name != storage.element.name)) {
    return Malformed(absl::StrCat("storage ", Quoted(key), ": now ",
                                  storage.elements, " elements of ",
                                  storage.element.name, ", before ",
                                  first.elements, " of ", first.element.name));
  }
  return absl::OkStatus();
}

// ("storage", class, key, location, elements), in the legacy form with a view
// of it: None or (key of the view, first element, elements).
absl::StatusOr<StorageRange> StateReader::ReadStorage(
    const PickleValue& value) {
  const absl::Status malformed = Malformed("malformed persistent id");
  if (!value.Is(Kind::kStorage)) {
    return Malformed(
        absl::StrCat("expected a storage, got a ", KindName(value.kind)));
  }
  const PickleValue& id = pickle_.Items(value).front();
  if (!id.Is(Kind::kTuple)) return malformed;
  const Values items = pickle_.Items(id);
  if (items.size() != 5 && items.size() != 6) return malformed;
  const std::optional<uint64_t> elements = Count(items[4]);
  if (!items[0].Is(Kind::kText) || pickle_.Text(items[0]) != "storage" ||
      !items[1].Is(Kind::kGlobal) || items[1].number < kFirstStorage ||
      !items[2].Is(Kind::kText) || items[2].length > kMaxKeyBytes ||
      !elements) {
    return malformed;
  }
  const auto element = static_cast<size_t>(items[1].number - kFirstStorage);
  StorageRange range{std::string(pickle_.Text(items[2])), 0, *elements};
  const absl::Status declared =
      Declare(range.key, {kElements[element], *elements});
  if (!declared.ok()) return declared;
  if (items.size() == 5 || items[5].Is(Kind::kNone)) return range;
  return ReadStorageView(items[5], std::move(range));
}

absl::StatusOr<StorageRange> StateReader::ReadStorageView(
    const PickleValue& view, StorageRange whole) {
  const Values items = view.Is(Kind::kTuple) ? pickle_.Items(view) : Values();
  const auto first = items.size() == 3 ? Count(items[1]) : std::nullopt;
  const auto count = items.size() == 3 ? Count(items[2]) : std::nullopt;
  if (!first || !count || *first > whole.count ||
      *count > whole.count - *first) {
    return Malformed(absl::StrCat("a view that does not lie within storage ",
                                  Quoted(whole.key), " of ", whole.count,
                                  " elements"));
  }
  return StorageRange{std::move(whole.key), *first, *count};
}

// Whether elements at `offset` and on lie within `count`, and are no more than
// those: no released tensor repeats its elements by a stride of 0.
bool Fits(uint64_t offset, std::span<const int64_t> shape,
          std::span<const int64_t> strides, uint64_t count) {
  if (offset > count) return false;
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return true;
  uint64_t elements = 1;
  uint64_t last = offset;
  for (size_t i = 0; i < shape.size(); ++i) {
    uint64_t step;
    const auto steps = static_cast<uint64_t>(shape[i] - 1);
    if (__builtin_mul_overflow(elements, static_cast<uint64_t>(shape[i]),
                               &elements) ||
        __builtin_mul_overflow(steps, static_cast<uint64_t>(strides[i]),
                               &step) ||
        __builtin_add_overflow(last, step, &last)) {
      return false;
    }
  }
  return last < count && elements <= count;
}

// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks
// [, metadata]); _rebuild_tensor has the first four.
absl::StatusOr<TorchTensor> StateReader::ReadTensor(const PickleValue& value) {
  Values call = pickle_.Items(value);
  Values arguments = pickle_.Items(call[1]);
  if (call[0].number == kRebuildParameter) {  // (tensor, requires_grad, hooks)
    if (arguments.size() != 3 || !arguments[0].Is(Kind::kCall)) {
      return Malformed("malformed arguments of _rebuild_parameter");
    }
    call = pickle_.Items(arguments[0]);
    arguments = pickle_.Items(call[1]);
  }
  const bool v2 = call[0].number == kRebuildTensorV2;
  const size_t count = arguments.size();
  if (!(v2 ? count == 6 || count == 7
           : call[0].number == kRebuildTensor && count == 4)) {
    return Malformed("malformed arguments of _rebuild_tensor");
  }
  absl::StatusOr<StorageRange> storage = ReadStorage(arguments[0]);
  if (!storage.ok()) return storage.status();
  const std::optional<uint64_t> offset = Count(arguments[1]);
  auto shape = Counts(arguments[2]);
  auto strides = Counts(arguments[3]);
  if (!offset || !shape || !strides || shape->size() != strides->size()) {
    return Malformed(
        absl::StrCat("offset, size and stride must be counts, of at most ",
                     kMaxDimensions, " dimensions"));
  }
  if (!Fits(*offset, *shape, *strides, storage->count)) {
    return Malformed(absl::StrCat("size ", ShapeText(*shape), " with stride ",
                                  ShapeText(*strides), " at element ", *offset,
                                  " does not lie within a storage of ",
                                  storage->count, " elements"));
  }
  return TorchTensor{std::move(storage->key), storage->first + *offset,
                     *std::move(shape), *std::move(strides)};
}

absl::Status StateReader::ReadEntry(std::string_view name,
                                    const PickleValue& value) {
  if (!value.Is(Kind::kCall)) {
    state_.others.insert_or_assign(std::string(name), KindName(value.kind));
    return absl::OkStatus();
  }
  absl::StatusOr<TorchTensor> tensor = ReadTensor(value);
  if (!tensor.ok()) {
    return Malformed(
        absl::StrCat("tensor ", Quoted(name), ": ", tensor.status().message()));
  }
  state_.tensors.emplace(name, *std::move(tensor));
  return absl::OkStatus();
}

// The keys of a dict, in its order. Python would keep the last of a key given
// twice; no file has one, and copying a long key again and again takes forever.
absl::StatusOr<std::vector<std::string_view>> StateReader::Names(
    const PickleValue& dict) const {
  std::vector<std::string_view> names;
  std::set<std::string_view> seen;
  const Values items = pickle_.Items(dict);
  for (size_t i = 0; i < items.size(); i += 2) {
    if (!items[i].Is(Kind::kText)) {
      return Malformed(absl::StrCat("expected names of tensors, got a ",
                                    KindName(items[i].kind)));
    }
    names.push_back(pickle_.Text(items[i]));
    if (!seen.insert(names.back()).second) {
      return Malformed(
          absl::StrCat("tensor ", Quoted(names.back()), ": listed twice"));
    }
  }
  return names;
}

// The dict that holds the tensors: the root, or its "state_dict", whose
// neighbours are noted.
absl::StatusOr<PickleValue> StateReader::FindTensors() {
  const PickleValue& root = pickle_.root();
  if (!root.Is(Kind::kDict)) {
    return Malformed(absl::StrCat("expected a dict of tensors by name, got a ",
                                  KindName(root.kind)));
  }
  const auto names = Names(root);
  if (!names.ok()) return names.status();
  const auto inner = std::find(names->begin(), names->end(), "state_dict");
  if (inner == names->end()) return root;
  const Values items = pickle_.Items(root);
  const auto at = static_cast<size_t>(inner - names->begin());
  const PickleValue& tensors = items[2 * at + 1];
  if (!tensors.Is(Kind::kDict)) return root;
  for (size_t i = 0; i < names->size(); ++i) {
    if (i == at) continue;
    state_.others.emplace((*names)[i], KindName(items[2 * i + 1].kind));
  }
  return tensors;
}

absl::Status StateReader::Read() {
  for (const PickleValue& storage : pickle_.storages()) {
    const absl::Status status = ReadStorage(storage).status();
    if (!status.ok()) return status;
  }
  const absl::StatusOr<PickleValue> tensors = FindTensors();
  if (!tensors.ok()) return tensors.status();
  const auto names = Names(*tensors);
  if (!names.ok()) return names.status();
  const Values items = pickle_.Items(*tensors);
  for (size_t i = 0; i < names->size(); ++i) {
    const absl::Status status = ReadEntry((*names)[i], items[2 * i + 1]);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

std::span<const PickleGlobal> TorchGlobals() { return kGlobals; }

absl::StatusOr<TorchState> ReadTorchState(const Pickle& pickle) {
  StateReader reader(pickle);
  const absl::Status status = reader.Read();
  if (!status.ok()) return status;
  return reader.Finish();
}

}  // namespace deberta::model
