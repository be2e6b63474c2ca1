// Hand-made pickles for tests, opcode by opcode, and PyTorch files of them.

#ifndef TESTS_MODEL_CHECKPOINT_PICKLE_BYTES_H_
#define TESTS_MODEL_CHECKPOINT_PICKLE_BYTES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/model/checkpoint/zip_bytes.h"

namespace deberta::model {

inline std::string Text(const std::string& text) {
  return "X" + Bytes(static_cast<uint32_t>(text.size())) + text;
}

inline std::string Int(int32_t number) { return "J" + Bytes(number); }

// LONG1 of eight bytes.
inline std::string Long(int64_t number) { return "\x8a\x08" + Bytes(number); }

inline std::string Global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}

inline std::string Tuple(const std::vector<std::string>& items) {
  std::string bytes = "(";
  for (const std::string& item : items) bytes += item;
  return bytes + "t";
}

inline std::string Counts(const std::vector<int64_t>& counts) {
  std::vector<std::string> items;
  for (const int64_t count : counts) items.push_back(Long(count));
  return Tuple(items);
}

// A persistent id; `view` for the legacy form.
inline std::string Storage(const std::string& type, const std::string& key,
                           int64_t elements, const std::string& view = "") {
  return Tuple({Text("storage"), Global("torch", type), Text(key), Text("cpu"),
                Long(elements), view}) +
         "Q";
}

inline std::string Tensor(const std::string& storage, int64_t offset,
                          const std::vector<int64_t>& shape,
                          const std::vector<int64_t>& strides) {
  return Global("torch._utils", "_rebuild_tensor_v2") +
         Tuple({storage, Long(offset), Counts(shape), Counts(strides), "\x89",
                Global("collections", "OrderedDict") + ")R"}) +
         "R";
}

// The pickle of a dict: keys and values in turn.
inline std::string Dict(const std::vector<std::string>& items) {
  std::string bytes = "}(";
  for (const std::string& item : items) bytes += item;
  return bytes + "u";
}

inline std::string PickleBytes(const std::string& body) {
  return "\x80\x02" + body + ".";
}

struct NamedStorage {
  std::string key;
  std::string data;
};

inline std::string TorchZip(const std::string& pickle,
                            const std::vector<NamedStorage>& storages = {}) {
  std::vector<ZipEntry> entries = {
      {.name = "archive/data.pkl", .data = pickle}};
  for (const NamedStorage& storage : storages) {
    entries.push_back(
        {.name = "archive/data/" + storage.key, .data = storage.data});
  }
  return ZipBytes(entries);
}

inline const std::string& LegacyHeader() {
  static const auto* const header = new std::string(
      PickleBytes("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") +
      PickleBytes(Int(1001)) +
      PickleBytes(Dict({Text("little_endian"), "\x88"})));
  return *header;
}

// `storages` have their count of elements before them.
inline std::string TorchLegacy(const std::string& pickle,
                               const std::vector<std::string>& keys,
                               const std::string& storages) {
  std::string list = "](";
  for (const std::string& key : keys) list += Text(key);
  return LegacyHeader() + pickle + PickleBytes(list + "e") + storages;
}

}  // namespace deberta::model

#endif  // TESTS_MODEL_CHECKPOINT_PICKLE_BYTES_H_
