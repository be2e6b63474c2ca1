// The opcodes of Python's pickle protocols 0 to 5 (Lib/pickletools.py).

#ifndef MODEL_CHECKPOINT_PICKLE_OPCODES_H_
#define MODEL_CHECKPOINT_PICKLE_OPCODES_H_

#include <cstdint>
#include <string>

namespace deberta::model {

// Those that are accepted.
enum class PickleOpcode : uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kEmptyDict = '}',
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kSetItem = 's',
  kSetItems = 'u',
  kNone = 'N',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8a,
  kBinFloat = 'G',
  kBinUnicode = 'X',
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kShortBinString = 'U',
  kBinString = 'T',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kMemoize = 0x94,
  kBinGet = 'h',
  kLongBinGet = 'j',
  kGlobal = 'c',
  kStackGlobal = 0x93,
  kReduce = 'R',
  kBuild = 'b',
  kBinPersId = 'Q',
  kProto = 0x80,
  kFrame = 0x95,
};

// The name of one that is not: "NEWOBJ"; "0xff" where Python has none either.
std::string RefusedOpcodeName(uint8_t code);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_PICKLE_OPCODES_H_
