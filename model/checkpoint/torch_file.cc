#include "model/checkpoint/torch_file.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/checkpoint/byte_reader.h"
#include "model/checkpoint/pickle.h"
#include "model/checkpoint/torch_pickle.h"
#include "model/checkpoint/untrusted_text.h"
#include "model/checkpoint/zip.h"

namespace deberta::model {
namespace {

using Kind = PickleValue::Kind;
using Bytes = std::span<const std::byte>;
// The elements of each storage by its key.
using StorageBytes = std::map<std::string, Bytes, std::less<>>;

// torch/serialization.py: 0x1950a86a20f9469cfc6c, little-endian.
constexpr std::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19");
constexpr int64_t kLegacyProtocol = 1001;

absl::Status Malformed(const std::string& what) {
  return absl::InvalidArgumentError(what);
}

bool BeginsWith(Bytes file, std::string_view text, size_t at = 0) {
  return file.size() >= at + text.size() &&
         std::memcmp(file.data() + at, text.data(), text.size()) == 0;
}

std::string_view Chars(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

uint64_t BytesOf(const TorchStorage& storage) {
  return storage.elements * storage.element.bytes;
}

// Makes a view of each tensor, copying those that are not row-major.
class TensorCollector {
 public:
  explicit TensorCollector(uint64_t file_bytes)
      : copies_left_(2 * file_bytes) {}

  absl::Status Add(const std::string& name, const TorchTensor& tensor,
                   const TorchStorage& storage, Bytes stored);
  TorchContents Finish() { return std::move(contents_); }

 private:
  uint64_t copies_left_;  // bytes
  TorchContents contents_;
};

bool IsRowMajor(const TorchTensor& tensor) {
  int64_t expected = 1;
  for (size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] == 1) continue;
    if (tensor.strides[i] != expected) return false;
    expected *= tensor.shape[i];
  }
  return true;
}

// The elements in row-major order. REQUIRES: there is at least one.
std::vector<std::byte> Gather(const TorchTensor& tensor, Bytes stored,
                              size_t element_bytes, size_t elements) {
  std::vector<std::byte> out(elements * element_bytes);
  const size_t dimensions = tensor.shape.size();
  std::vector<int64_t> index(dimensions, 0);
  uint64_t at = tensor.offset;
  for (size_t i = 0; i < elements; ++i) {
    std::memcpy(out.data() + i * element_bytes,
                stored.data() + at * element_bytes, element_bytes);
    for (size_t d = dimensions; d-- > 0;) {
      const auto stride = static_cast<uint64_t>(tensor.strides[d]);
      at += stride;
      if (++index[d] < tensor.shape[d]) break;
      at -= stride * static_cast<uint64_t>(tensor.shape[d]);
      index[d] = 0;
    }
  }
  return out;
}

absl::Status TensorCollector::Add(const std::string& name,
                                  const TorchTensor& tensor,
                                  const TorchStorage& storage, Bytes stored) {
  if (!storage.element.dtype) {
    contents_.other_types.emplace(name, storage.element.name);
    return absl::OkStatus();
  }
  TensorView view{*storage.element.dtype, tensor.shape, {}};
  uint64_t elements = 1;
  for (const int64_t extent : tensor.shape) {
    if (extent == 0) {  // the other extents may be anything
      contents_.tensors.emplace(name, std::move(view));
      return absl::OkStatus();
    }
    elements *= static_cast<uint64_t>(extent);
  }
  const uint64_t element_bytes = storage.element.bytes;
  const uint64_t bytes = elements * element_bytes;
  if (IsRowMajor(tensor)) {
    view.bytes = stored.subspan(tensor.offset * element_bytes, bytes);
  } else {
    if (bytes > copies_left_) {
      return Malformed(absl::StrCat("tensor ", Quoted(name),
                                    ": tensors that are not row-major take "
                                    "more than twice the file's bytes"));
    }
    copies_left_ -= bytes;
    contents_.buffers.push_back(
        Gather(tensor, stored, element_bytes, elements));
    view.bytes = contents_.buffers.back();
  }
  contents_.tensors.emplace(name, std::move(view));
  return absl::OkStatus();
}

absl::StatusOr<TorchContents> Collect(TorchState state,
                                      const StorageBytes& storages,
                                      uint64_t file_bytes) {
  TensorCollector collector(file_bytes);
  for (const auto& [name, tensor] : state.tensors) {
    const absl::Status status =
        collector.Add(name, tensor, state.storages.at(tensor.storage),
                      storages.at(tensor.storage));
    if (!status.ok()) return status;
  }
  TorchContents contents = collector.Finish();
  contents.other_types.merge(state.others);
  return contents;
}

// "archive" of archive/data.pkl: the one folder that holds every entry.
absl::StatusOr<std::string> TopFolder(const ZipEntries& entries) {
  std::string folder;
  for (const auto& [name, bytes] : entries) {
    const std::string top = name.substr(0, name.find('/'));
    if (top.size() == name.size() || (!folder.empty() && top != folder)) {
      return Malformed(
          absl::StrCat("zip: entry ", Quoted(name),
                       ": expected every entry to lie within one folder"));
    }
    folder = top;
  }
  return folder;
}

// An archive whose object has been read.
class TorchArchive {
 public:
  static absl::StatusOr<TorchArchive> Open(Bytes file);

  const Pickle& object() const { return *object_; }
  absl::StatusOr<StorageBytes> Storages(const TorchState& state) const;

 private:
  std::optional<Bytes> Find(const std::string& name) const {
    const auto it = entries_.find(absl::StrCat(folder_, "/", name));
    return it == entries_.end() ? std::nullopt : std::optional(it->second);
  }

  ZipEntries entries_;
  std::string folder_;
  std::optional<Pickle> object_;
};

absl::StatusOr<TorchArchive> TorchArchive::Open(Bytes file) {
  TorchArchive archive;
  absl::StatusOr<ZipEntries> entries = ParseZip(file);
  if (!entries.ok()) return entries.status();
  archive.entries_ = *std::move(entries);
  absl::StatusOr<std::string> folder = TopFolder(archive.entries_);
  if (!folder.ok()) return folder.status();
  archive.folder_ = *std::move(folder);
  const std::optional<Bytes> object = archive.Find("data.pkl");
  if (!object) {
    return Malformed("zip: no entry data.pkl: not PyTorch's weights");
  }
  const std::optional<Bytes> order = archive.Find("byteorder");
  if (order && Chars(*order) != "little") {
    return Malformed(absl::StrCat("byteorder: expected little, got ",
                                  Quoted(Chars(*order))));
  }
  absl::StatusOr<Pickle> pickle = Pickle::Parse(*object, TorchGlobals());
  if (!pickle.ok()) return pickle.status();
  if (pickle->size() != object->size()) {
    return Malformed(absl::StrCat("data.pkl: ", object->size() - pickle->size(),
                                  " bytes follow the pickle"));
  }
  archive.object_ = *std::move(pickle);
  return archive;
}

absl::StatusOr<StorageBytes> TorchArchive::Storages(
    const TorchState& state) const {
  StorageBytes storages;
  for (const auto& [key, storage] : state.storages) {
    const std::optional<Bytes> data = Find(absl::StrCat("data/", key));
    if (!data) {
      return Malformed(absl::StrCat("storage ", Quoted(key),
                                    ": the archive has no such entry"));
    }
    if (data->size() != BytesOf(storage)) {
      return Malformed(absl::StrCat(
          "storage ", Quoted(key), ": ", storage.elements, " elements of ",
          storage.element.name, " take ", BytesOf(storage),
          " bytes, its entry holds ", data->size()));
    }
    storages.emplace(key, *data);
  }
  return storages;
}

absl::StatusOr<TorchContents> ParseZipForm(Bytes file) {
  const absl::StatusOr<TorchArchive> archive = TorchArchive::Open(file);
  if (!archive.ok()) return archive.status();
  absl::StatusOr<TorchState> state = ReadTorchState(archive->object());
  if (!state.ok()) return state.status();
  const absl::StatusOr<StorageBytes> storages = archive->Storages(*state);
  if (!storages.ok()) return storages.status();
  return Collect(*std::move(state), *storages, file.size());
}

// Reads one pickle after the other.
class PickleSequence {
 public:
  explicit PickleSequence(Bytes bytes) : rest_(bytes) {}

  absl::StatusOr<Pickle> Next() {
    absl::StatusOr<Pickle> pickle = Pickle::Parse(rest_, TorchGlobals());
    if (pickle.ok()) rest_ = rest_.subspan(pickle->size());
    return pickle;
  }
  Bytes rest() const { return rest_; }

 private:
  Bytes rest_;
};

// The magic number, the protocol and the system that wrote the file.
absl::Status CheckLegacyHeader(PickleSequence& pickles) {
  const absl::StatusOr<Pickle> magic = pickles.Next();
  if (!magic.ok() || !magic->root().Is(Kind::kLong) ||
      magic->Text(magic->root()) != kMagic) {
    return Malformed(absl::StrCat(
        "neither a zip archive nor a file with PyTorch's magic number",
        magic.ok() ? "" : "; ", magic.status().message()));
  }
  const absl::StatusOr<Pickle> protocol = pickles.Next();
  if (!protocol.ok()) return protocol.status();
  if (!protocol->root().Is(Kind::kInt) ||
      protocol->root().number != kLegacyProtocol) {
    return Malformed(
        absl::StrCat("expected PyTorch's protocol ", kLegacyProtocol));
  }
  const absl::StatusOr<Pickle> system = pickles.Next();
  if (!system.ok()) return system.status();
  if (!system->root().Is(Kind::kDict)) {
    return Malformed("expected a dict about the system that wrote the file");
  }
  const std::span<const PickleValue> items = system->Items(system->root());
  for (size_t i = 0; i < items.size(); i += 2) {
    if (items[i].Is(Kind::kText) && system->Text(items[i]) == "little_endian" &&
        !(items[i + 1].Is(Kind::kBool) && items[i + 1].number == 1)) {
      return Malformed("written on a big-endian machine");
    }
  }
  return absl::OkStatus();
}

absl::Status Misplaced(std::string_view key, const char* what) {
  return Malformed(absl::StrCat("storage ", Quoted(key), ": ", what));
}

// Per key a count of elements and the elements, as the list of keys has them.
absl::StatusOr<StorageBytes> ReadLegacyStorages(const TorchState& state,
                                                const Pickle& keys,
                                                Bytes data) {
  if (!keys.root().Is(Kind::kList)) {
    return Malformed("expected a list of the storages' keys");
  }
  StorageBytes storages;
  ByteReader reader(data);
  for (const PickleValue& item : keys.Items(keys.root())) {
    if (!item.Is(Kind::kText)) {
      return Malformed("the list of the storages' keys holds something else");
    }
    const std::string_view key = keys.Text(item);
    const auto storage = state.storages.find(key);
    if (storage == state.storages.end()) {
      return Misplaced(key, "listed, but the object does not ask for it");
    }
    const auto elements = reader.ReadU64();
    if (elements && *elements != storage->second.elements) {
      return Malformed(absl::StrCat("storage ", Quoted(key), ": expected ",
                                    storage->second.elements,
                                    " elements, the file says ", *elements));
    }
    const auto bytes =
        elements ? reader.Take(BytesOf(storage->second)) : std::nullopt;
    if (!bytes) {
      return Misplaced(key, "ends beyond the file; incomplete download?");
    }
    if (!storages.emplace(key, *bytes).second) {
      return Misplaced(key, "listed twice");
    }
  }
  for (const auto& [key, storage] : state.storages) {
    if (!storages.contains(key)) return Misplaced(key, "not in the file");
  }
  if (reader.remaining() > 0) {
    return Malformed(
        absl::StrCat(reader.remaining(), " bytes follow the last storage"));
  }
  return storages;
}

// The object; what follows it is left in `pickles`.
absl::StatusOr<Pickle> ReadLegacyObject(PickleSequence& pickles) {
  const absl::Status header = CheckLegacyHeader(pickles);
  if (!header.ok()) return header;
  return pickles.Next();
}

absl::StatusOr<TorchContents> ParseLegacyForm(Bytes file) {
  PickleSequence pickles(file);
  const absl::StatusOr<Pickle> object = ReadLegacyObject(pickles);
  if (!object.ok()) return object.status();
  absl::StatusOr<TorchState> state = ReadTorchState(*object);
  if (!state.ok()) return state.status();
  const absl::StatusOr<Pickle> keys = pickles.Next();
  if (!keys.ok()) return keys.status();
  const absl::StatusOr<StorageBytes> storages =
      ReadLegacyStorages(*state, *keys, pickles.rest());
  if (!storages.ok()) return storages.status();
  return Collect(*std::move(state), *storages, file.size());
}

bool IsZip(Bytes file) { return BeginsWith(file, "PK\x03\x04"); }

// The files that are commonly taken for one.
absl::Status CheckKind(Bytes file) {
  if (BeginsWith(file, "version https://git-lfs")) {
    return Malformed("a Git LFS pointer, not the weights themselves");
  }
  if (BeginsWith(file, "ustar", /*at=*/257)) {
    return Malformed(
        "PyTorch's tar form of before 2017 is not read; load and save it with "
        "a newer PyTorch");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TorchContents> ParseTorchFile(std::span<const std::byte> file) {
  if (IsZip(file)) return ParseZipForm(file);
  const absl::Status kind = CheckKind(file);
  if (!kind.ok()) return kind;
  return ParseLegacyForm(file);
}

absl::StatusOr<Pickle> ParseTorchObject(std::span<const std::byte> file) {
  if (IsZip(file)) {
    const absl::StatusOr<TorchArchive> archive = TorchArchive::Open(file);
    if (!archive.ok()) return archive.status();
    return archive->object();
  }
  const absl::Status kind = CheckKind(file);
  if (!kind.ok()) return kind;
  PickleSequence pickles(file);
  return ReadLegacyObject(pickles);
}

}  // namespace deberta::model
