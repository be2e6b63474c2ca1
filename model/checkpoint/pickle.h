// Reads the values of a Python pickle without running it.
//
// A pickle is a program for a stack machine that may import and call anything.
// This machine imports and calls nothing: a global is a name on the caller's
// list, a call is recorded as a value for the caller to interpret, and an
// opcode outside spec 6.3's list is refused. Values are nodes of a graph, so
// that sharing and nesting cost what the bytes cost: nothing recurses, and
// nothing is copied.

#ifndef MODEL_CHECKPOINT_PICKLE_H_
#define MODEL_CHECKPOINT_PICKLE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace deberta::model {

struct PickleValue {
  enum class Kind : uint8_t {
    kNone,
    kBool,     // number: 0 or 1
    kInt,      // number
    kLong,     // beyond 64 bits; text() holds its little-endian bytes
    kFloat,    // its number is not kept
    kText,     // UTF-8
    kGlobal,   // number: index in the list of globals
    kTuple,    // items
    kList,     // items
    kDict,     // items: key, value, key, value, ...; keys may repeat
    kStorage,  // items: the persistent id
    kCall,     // items: the global, its arguments
  };
  Kind kind = Kind::kNone;
  uint32_t length = 0;  // of a text, in bytes
  int64_t number = 0;   // of a text: its offset; of items: the node

  bool Is(Kind other) const { return kind == other; }
};

// What Python calls values of this kind: "dict", "int", "tensor".
const char* KindName(PickleValue::Kind kind);

struct PickleGlobal {
  std::string_view name;  // "torch._utils._rebuild_tensor_v2"
  bool callable = false;
};

class Pickle {
 public:
  // Reads the pickle that `bytes` begins with; more may follow it.
  // Of the globals only `globals` and collections.OrderedDict, whose calls give
  // empty dicts, are accepted. InvalidArgument names what is refused and the
  // byte at which it stands, or tells that one of two limits is met: 4 million
  // opcodes, 64 MiB. `bytes` outlives the result.
  static absl::StatusOr<Pickle> Parse(std::span<const std::byte> bytes,
                                      std::span<const PickleGlobal> globals);

  const PickleValue& root() const { return root_; }
  // Every storage that the pickle asks for, as often as it does.
  std::span<const PickleValue> storages() const { return storages_; }
  // Bytes from its first opcode to its last.
  size_t size() const { return size_; }

  // REQUIRES: `value` is a text or a long.
  std::string_view Text(const PickleValue& value) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + value.number,
            value.length};
  }
  // REQUIRES: `value` has items.
  std::span<const PickleValue> Items(const PickleValue& value) const {
    return nodes_[static_cast<size_t>(value.number)];
  }

 private:
  friend class PickleMachine;

  std::span<const std::byte> bytes_;
  size_t size_ = 0;
  PickleValue root_;
  std::vector<PickleValue> storages_;
  std::vector<std::vector<PickleValue>> nodes_;
};

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_PICKLE_H_
