#include "model/checkpoint/pickle_machine.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/untrusted_text.h"

namespace deberta::model {
namespace {

constexpr size_t kMaxBytes = size_t{64} << 20;
// A released model's state takes some 20,000, its vocabulary under a million.
constexpr size_t kMaxOpcodes = 4'000'000;
constexpr uint8_t kNewestProtocol = 5;
constexpr std::string_view kOrderedDict = "collections.OrderedDict";
// The number of that global, which is on nobody's list.
constexpr int64_t kOrderedDictIndex = -1;

std::string_view Chars(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

PickleMachine::PickleMachine(std::span<const std::byte> bytes,
                             std::span<const PickleGlobal> globals)
    : limit_(std::min(bytes.size(), kMaxBytes)),
      rest_(bytes.first(limit_)),
      globals_(globals) {
  pickle_.bytes_ = bytes;
}

absl::StatusOr<Pickle> PickleMachine::Run() {
  for (size_t opcodes = 0; !stopped_; ++opcodes) {
    start_ = Position();
    const auto code = rest_.ReadU8();
    if (!code) return Truncated();
    if (opcodes == kMaxOpcodes) {
      return Malformed(absl::StrCat("more than ", kMaxOpcodes, " opcodes"));
    }
    const absl::Status status = Run(static_cast<PickleOpcode>(*code));
    if (!status.ok()) return status;
  }
  pickle_.size_ = Position();
  return std::move(pickle_);
}

absl::Status PickleMachine::Malformed(const std::string& what) const {
  return absl::InvalidArgumentError(
      absl::StrCat("pickle: byte ", start_, ": ", what));
}

absl::Status PickleMachine::Truncated() const {
  return limit_ < pickle_.bytes_.size()
             ? Malformed(absl::StrCat("more than ", kMaxBytes, " bytes"))
             : Malformed("cut short; incomplete download?");
}

absl::Status PickleMachine::Underflow() const {
  return Malformed("takes more from the stack than lies on it");
}

absl::Status PickleMachine::PushInt(std::optional<int64_t> number) {
  if (!number) return Truncated();
  Push(Kind::kInt, *number);
  return absl::OkStatus();
}

absl::Status PickleMachine::PushLong() {
  const auto length = rest_.ReadU8();
  const auto bytes = length ? rest_.Take(*length) : std::nullopt;
  if (!bytes) return Truncated();
  if (bytes->size() > sizeof(int64_t)) {
    Push(Kind::kLong, static_cast<int64_t>(Position() - bytes->size()),
         static_cast<uint32_t>(bytes->size()));
    return absl::OkStatus();
  }
  // Two's complement of as many bytes as there are.
  const bool negative =
      !bytes->empty() && (bytes->back() & std::byte{0x80}) != std::byte{0};
  int64_t number = negative ? -1 : 0;
  if (!bytes->empty()) std::memcpy(&number, bytes->data(), bytes->size());
  Push(Kind::kInt, number);
  return absl::OkStatus();
}

absl::Status PickleMachine::PushFloat() {
  if (!rest_.Take(sizeof(double))) return Truncated();
  Push(Kind::kFloat);
  return absl::OkStatus();
}

absl::Status PickleMachine::PushText(std::optional<uint64_t> length) {
  const auto bytes = length ? rest_.Take(*length) : std::nullopt;
  if (!bytes) return Truncated();
  if (!IsUtf8(Chars(*bytes))) return Malformed("a text that is not UTF-8");
  Push(Kind::kText, static_cast<int64_t>(Position() - bytes->size()),
       static_cast<uint32_t>(bytes->size()));
  return absl::OkStatus();
}

void PickleMachine::PushNode(Kind kind, std::vector<PickleValue> items) {
  Push(kind, static_cast<int64_t>(pickle_.nodes_.size()));
  pickle_.nodes_.push_back(std::move(items));
}

std::optional<size_t> PickleMachine::PopMark() {
  if (marks_.empty()) return std::nullopt;
  const size_t count = Above();
  marks_.pop_back();
  return count;
}

std::vector<PickleValue> PickleMachine::Take(size_t count) {
  const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<PickleValue> items(first, stack_.end());
  stack_.erase(first, stack_.end());
  return items;
}

absl::Status PickleMachine::PushTuple(size_t count) {
  if (count > Above()) return Underflow();
  PushNode(Kind::kTuple, Take(count));
  return absl::OkStatus();
}

absl::Status PickleMachine::PushMarkedTuple() {
  const std::optional<size_t> count = PopMark();
  return count ? PushTuple(*count) : Underflow();
}

absl::Status PickleMachine::Extend(Kind kind, std::optional<size_t> count) {
  // The container lies below the items.
  if (!count || *count >= Above()) return Underflow();
  const PickleValue container = stack_[stack_.size() - *count - 1];
  if (!container.Is(kind) || (kind == Kind::kDict && *count % 2 != 0)) {
    return Malformed(absl::StrCat("adds ", *count, " items to a ",
                                  KindName(container.kind)));
  }
  const std::vector<PickleValue> items = Take(*count);
  auto& node = pickle_.nodes_[static_cast<size_t>(container.number)];
  node.insert(node.end(), items.begin(), items.end());
  return absl::OkStatus();
}

absl::Status PickleMachine::Remember(std::optional<uint64_t> index) {
  if (!index) return Truncated();
  if (Above() == 0) return Underflow();
  memo_[*index] = stack_.back();
  return absl::OkStatus();
}

absl::Status PickleMachine::Recall(std::optional<uint64_t> index) {
  if (!index) return Truncated();
  const auto it = memo_.find(*index);
  if (it == memo_.end()) {
    return Malformed(absl::StrCat("nothing was remembered as ", *index));
  }
  stack_.push_back(it->second);
  return absl::OkStatus();
}

std::optional<std::string_view> PickleMachine::ReadLine() {
  ByteReader ahead = rest_;
  const std::string_view text = Chars(*ahead.Take(ahead.remaining()));
  const size_t length = text.find('\n');
  if (length == text.npos) return std::nullopt;
  rest_.Take(length + 1);
  return text.substr(0, length);
}

absl::Status PickleMachine::ReadGlobal() {
  const auto module = ReadLine();
  const auto name = module ? ReadLine() : std::nullopt;
  if (!name) return Truncated();
  return PushGlobal(*module, *name);
}

absl::Status PickleMachine::TakeGlobal() {
  if (Above() < 2) return Underflow();
  const std::vector<PickleValue> names = Take(2);
  if (!names[0].Is(Kind::kText) || !names[1].Is(Kind::kText)) {
    return Malformed("a global whose name is no text");
  }
  return PushGlobal(pickle_.Text(names[0]), pickle_.Text(names[1]));
}

absl::Status PickleMachine::PushGlobal(std::string_view module,
                                       std::string_view name) {
  const auto is = [&](std::string_view full) {
    return full.size() == module.size() + 1 + name.size() &&
           full.starts_with(module) && full[module.size()] == '.' &&
           full.ends_with(name);
  };
  if (is(kOrderedDict)) {
    Push(Kind::kGlobal, kOrderedDictIndex);
    return absl::OkStatus();
  }
  for (size_t i = 0; i < globals_.size(); ++i) {
    if (!is(globals_[i].name)) continue;
    Push(Kind::kGlobal, static_cast<int64_t>(i));
    return absl::OkStatus();
  }
  return Malformed(absl::StrCat(
      "global ", Quoted(module), " ", Quoted(name),
      " is not among those that weights need; a file that asks for it runs "
      "code when Python loads it"));
}

absl::Status PickleMachine::Reduce() {
  if (Above() < 2) return Underflow();
  std::vector<PickleValue> call = Take(2);
  const PickleValue& callee = call[0];
  if (!callee.Is(Kind::kGlobal) || !call[1].Is(Kind::kTuple)) {
    return Malformed(absl::StrCat("calls a ", KindName(callee.kind), " with a ",
                                  KindName(call[1].kind)));
  }
  if (callee.number == kOrderedDictIndex) {
    if (!pickle_.Items(call[1]).empty()) {
      return Malformed("calls collections.OrderedDict with arguments");
    }
    PushNode(Kind::kDict, {});
    return absl::OkStatus();
  }
  const PickleGlobal& global = globals_[static_cast<size_t>(callee.number)];
  if (!global.callable) {
    return Malformed(absl::StrCat("calls ", Quoted(global.name)));
  }
  PushNode(Kind::kCall, std::move(call));
  return absl::OkStatus();
}

// torch.nn.Module.state_dict gives its OrderedDict an attribute, `_metadata`.
absl::Status PickleMachine::Build() {
  if (Above() < 2) return Underflow();
  const std::vector<PickleValue> state = Take(1);
  if (!stack_.back().Is(Kind::kDict) || !state[0].Is(Kind::kDict)) {
    return Malformed(absl::StrCat("sets the state of a ",
                                  KindName(stack_.back().kind), " to a ",
                                  KindName(state[0].kind)));
  }
  return absl::OkStatus();
}

absl::Status PickleMachine::PushPersistentId() {
  if (Above() < 1) return Underflow();
  PushNode(Kind::kStorage, Take(1));
  pickle_.storages_.push_back(stack_.back());
  return absl::OkStatus();
}

absl::Status PickleMachine::CheckProtocol() {
  const auto protocol = rest_.ReadU8();
  if (!protocol) return Truncated();
  if (*protocol > kNewestProtocol) {
    return Malformed(absl::StrCat("protocol ", *protocol, ", expected at most ",
                                  kNewestProtocol));
  }
  return absl::OkStatus();
}

absl::Status PickleMachine::CheckFrame() {
  const auto length = rest_.ReadU64();
  if (!length || *length > rest_.remaining()) return Truncated();
  return absl::OkStatus();
}

absl::Status PickleMachine::Pop() {
  if (Above() > 0) {
    stack_.pop_back();
  } else if (!PopMark()) {
    return Underflow();
  }
  return absl::OkStatus();
}

absl::Status PickleMachine::Stop() {
  if (!marks_.empty() || stack_.size() != 1) {
    return Malformed(absl::StrCat("stops with ", stack_.size(), " values and ",
                                  marks_.size(), " marks on the stack"));
  }
  pickle_.root_ = stack_.back();
  stopped_ = true;
  return absl::OkStatus();
}

}  // namespace deberta::model
