// The stack machine that reads a pickle; see pickle.h for what it promises.

#ifndef MODEL_CHECKPOINT_PICKLE_MACHINE_H_
#define MODEL_CHECKPOINT_PICKLE_MACHINE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/byte_reader.h"
#include "model/checkpoint/pickle.h"
#include "model/checkpoint/pickle_opcodes.h"

namespace deberta::model {

// For one run.
class PickleMachine {
 public:
  PickleMachine(std::span<const std::byte> bytes,
                std::span<const PickleGlobal> globals);

  absl::StatusOr<Pickle> Run();

 private:
  using Kind = PickleValue::Kind;

  absl::Status Run(PickleOpcode code);
  // Nothing if the opcode is not of the group.
  std::optional<absl::Status> RunLiteral(PickleOpcode code);
  std::optional<absl::Status> RunText(PickleOpcode code);
  std::optional<absl::Status> RunContainer(PickleOpcode code);
  std::optional<absl::Status> RunMemo(PickleOpcode code);
  std::optional<absl::Status> RunCall(PickleOpcode code);
  std::optional<absl::Status> RunControl(PickleOpcode code);

  // Each takes what it was given as absent for the file's end.
  absl::Status PushInt(std::optional<int64_t> number);
  absl::Status PushLong();
  absl::Status PushFloat();
  absl::Status PushText(std::optional<uint64_t> length);
  absl::Status PushTuple(size_t count);
  absl::Status PushMarkedTuple();
  absl::Status Extend(Kind kind, std::optional<size_t> count);
  absl::Status Remember(std::optional<uint64_t> index);
  absl::Status Recall(std::optional<uint64_t> index);
  absl::Status PushGlobal(std::string_view module, std::string_view name);
  absl::Status ReadGlobal();
  absl::Status TakeGlobal();
  absl::Status Reduce();
  absl::Status Build();
  absl::Status PushPersistentId();
  absl::Status CheckProtocol();
  absl::Status CheckFrame();
  absl::Status Pop();
  absl::Status Stop();

  void Push(Kind kind, int64_t number = 0, uint32_t length = 0) {
    stack_.push_back({kind, length, number});
  }
  void PushNode(Kind kind, std::vector<PickleValue> items);
  // Values above the last mark: those that may be taken.
  size_t Above() const {
    return stack_.size() - (marks_.empty() ? 0 : marks_.back());
  }
  // How many values lie above the last mark, which goes; nothing if there is
  // none.
  std::optional<size_t> PopMark();
  // REQUIRES: that many values lie on the stack.
  std::vector<PickleValue> Take(size_t count);

  size_t Position() const { return limit_ - rest_.remaining(); }
  // The bytes up to the line's end, which is taken too.
  std::optional<std::string_view> ReadLine();
  absl::Status Malformed(const std::string& what) const;
  absl::Status Truncated() const;
  absl::Status Underflow() const;

  const size_t limit_;
  ByteReader rest_;
  const std::span<const PickleGlobal> globals_;
  size_t start_ = 0;  // of the opcode at hand
  bool stopped_ = false;
  std::vector<PickleValue> stack_;
  std::vector<size_t> marks_;  // heights of the stack
  // By index: a file may use any of 32 bits, and few in all.
  std::unordered_map<uint64_t, PickleValue> memo_;
  Pickle pickle_;
};

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_PICKLE_MACHINE_H_
