#include "model/checkpoint/pickle.h"

#include "model/checkpoint/pickle_machine.h"

namespace deberta::model {

const char* KindName(PickleValue::Kind kind) {
  switch (kind) {
    case PickleValue::Kind::kNone:
      return "None";
    case PickleValue::Kind::kBool:
      return "bool";
    case PickleValue::Kind::kInt:
    case PickleValue::Kind::kLong:
      return "int";
    case PickleValue::Kind::kFloat:
      return "float";
    case PickleValue::Kind::kText:
      return "str";
    case PickleValue::Kind::kGlobal:
      return "global";
    case PickleValue::Kind::kTuple:
      return "tuple";
    case PickleValue::Kind::kList:
      return "list";
    case PickleValue::Kind::kDict:
      return "dict";
    case PickleValue::Kind::kStorage:
      return "storage";
    case PickleValue::Kind::kCall:
      return "tensor";
  }
  return "";
}

absl::StatusOr<Pickle> Pickle::Parse(std::span<const std::byte> bytes,
                                     std::span<const PickleGlobal> globals) {
  return PickleMachine(bytes, globals).Run();
}

}  // namespace deberta::model
