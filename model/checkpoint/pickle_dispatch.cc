// What each opcode asks of the machine.

#include "absl/strings/str_cat.h"
#include "model/checkpoint/pickle_machine.h"

namespace deberta::model {

absl::Status PickleMachine::Run(PickleOpcode code) {
  for (const auto group :
       {&PickleMachine::RunText, &PickleMachine::RunMemo,
        &PickleMachine::RunLiteral, &PickleMachine::RunContainer,
        &PickleMachine::RunCall, &PickleMachine::RunControl}) {
    if (const auto status = (this->*group)(code)) return *status;
  }
  return Malformed(absl::StrCat("opcode ",
                                RefusedOpcodeName(static_cast<uint8_t>(code)),
                                " is not among those that weights need"));
}

std::optional<absl::Status> PickleMachine::RunLiteral(PickleOpcode code) {
  switch (code) {
    case PickleOpcode::kNone:
      Push(Kind::kNone);
      return absl::OkStatus();
    case PickleOpcode::kNewTrue:
      Push(Kind::kBool, 1);
      return absl::OkStatus();
    case PickleOpcode::kNewFalse:
      Push(Kind::kBool, 0);
      return absl::OkStatus();
    case PickleOpcode::kBinInt: {
      const auto number = rest_.ReadU32();
      return PushInt(number ? std::optional(static_cast<int32_t>(*number))
                            : std::nullopt);
    }
    case PickleOpcode::kBinInt1:
      return PushInt(rest_.ReadU8());
    case PickleOpcode::kBinInt2:
      return PushInt(rest_.ReadU16());
    case PickleOpcode::kLong1:
      return PushLong();
    case PickleOpcode::kBinFloat:
      return PushFloat();
    default:
      return std::nullopt;
  }
}

std::optional<absl::Status> PickleMachine::RunText(PickleOpcode code) {
  switch (code) {
    case PickleOpcode::kShortBinUnicode:
    case PickleOpcode::kShortBinString:
      return PushText(rest_.ReadU8());
    case PickleOpcode::kBinUnicode:
    case PickleOpcode::kBinString:  // signed, but no length is negative
      return PushText(rest_.ReadU32());
    case PickleOpcode::kBinUnicode8:
      return PushText(rest_.ReadU64());
    default:
      return std::nullopt;
  }
}

std::optional<absl::Status> PickleMachine::RunContainer(PickleOpcode code) {
  switch (code) {
    case PickleOpcode::kEmptyTuple:
      return PushTuple(0);
    case PickleOpcode::kTuple1:
      return PushTuple(1);
    case PickleOpcode::kTuple2:
      return PushTuple(2);
    case PickleOpcode::kTuple3:
      return PushTuple(3);
    case PickleOpcode::kTuple:
      return PushMarkedTuple();
    case PickleOpcode::kEmptyList:
      PushNode(Kind::kList, {});
      return absl::OkStatus();
    case PickleOpcode::kEmptyDict:
      PushNode(Kind::kDict, {});
      return absl::OkStatus();
    case PickleOpcode::kAppend:
      return Extend(Kind::kList, 1);
    case PickleOpcode::kAppends:
      return Extend(Kind::kList, PopMark());
    case PickleOpcode::kSetItem:
      return Extend(Kind::kDict, 2);
    case PickleOpcode::kSetItems:
      return Extend(Kind::kDict, PopMark());
    default:
      return std::nullopt;
  }
}

std::optional<absl::Status> PickleMachine::RunMemo(PickleOpcode code) {
  switch (code) {
    case PickleOpcode::kBinPut:
      return Remember(rest_.ReadU8());
    case PickleOpcode::kLongBinPut:
      return Remember(rest_.ReadU32());
    case PickleOpcode::kMemoize:
      return Remember(memo_.size());
    case PickleOpcode::kBinGet:
      return Recall(rest_.ReadU8());
    case PickleOpcode::kLongBinGet:
      return Recall(rest_.ReadU32());
    default:
      return std::nullopt;
  }
}

std::optional<absl::Status> PickleMachine::RunCall(PickleOpcode code) {
  switch (code) {
    case PickleOpcode::kGlobal:
      return ReadGlobal();
    case PickleOpcode::kStackGlobal:
      return TakeGlobal();
    case PickleOpcode::kReduce:
      return Reduce();
    case PickleOpcode::kBuild:
      return Build();
    case PickleOpcode::kBinPersId:
      return PushPersistentId();
    default:
      return std::nullopt;
  }
}

std::optional<absl::Status> PickleMachine::RunControl(PickleOpcode code) {
  switch (code) {
    case PickleOpcode::kProto:
      return CheckProtocol();
    case PickleOpcode::kFrame:
      return CheckFrame();
    case PickleOpcode::kMark:
      marks_.push_back(stack_.size());
      return absl::OkStatus();
    case PickleOpcode::kPop:
      return Pop();
    case PickleOpcode::kStop:
      return Stop();
    default:
      return std::nullopt;
  }
}

}  // namespace deberta::model
