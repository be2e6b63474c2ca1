// What every task shares: its view of a model, the sequences it asks the
// encoder for, and how it treats long texts.
//
// A task is a class that models Task, below. Tasks are pure: no gRPC, no clock,
// no threads. The TaskModel and what it points to outlive the task.

#ifndef SERVER_TASKS_SHARED_TASK_H_
#define SERVER_TASKS_SHARED_TASK_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/label_head.h"
#include "model/runtime/batch.h"
#include "server/tasks/shared/best_columns.h"
#include "server/tasks/shared/cost.h"
#include "server/tasks/shared/head_outputs.h"
#include "server/tasks/shared/text_vectors.h"
#include "tokenizer/tokenizer.h"

namespace deberta::server {

struct TaskModel {
  const tokenizer::Tokenizer* tokenizer = nullptr;
  const model::Config* config = nullptr;
  // Of the head's columns; empty where they have no names.
  std::span<const std::string> labels = {};
  // The column that ClassifyZeroShot reads; none where it cannot.
  std::optional<size_t> entailment = {};
  // Most tokens of one sequence, special ones included.
  size_t max_tokens = 0;
  // Most bytes of the answer to one request, about.
  size_t max_answer_bytes = size_t{150} << 20;
  // The head's work on a row, over the encoder's on a token.
  double row_cost = 0;
  // Classify chooses among the answers that come with each input.
  bool multiple_choice = false;
  // Of Classify, where the request does not say; none: the pipeline's rule.
  std::optional<ScoreFunction> function = {};
  // Null: the logits' columns are one set of labels.
  const HeadOutputs* outputs = nullptr;
  // The token that a head reads, which every sequence must have; none: another.
  std::optional<int32_t> marker = {};
  // Of Encode, where the request asks for no pooling; null: that of [CLS].
  const TextVectors* vectors = nullptr;
  // TagTokens leaves it out of results that say nothing of labels to ignore.
  std::string_view ignored_label = "O";
  // Of a model whose head reads the caller's labels; else null.
  const model::LabelHead* label_head = nullptr;
};

// Which values of a sequence the task reads.
enum class Readout {
  kHeadLogits,
  kHiddenStates,
  kWordLogits,  // of SequenceInput::reading
};

struct SequenceInput {
  std::vector<int32_t> ids = {};
  std::vector<int32_t> type_ids = {};  // parallel to ids
  // Positions read, ascending; never empty, but for kWordLogits, which has
  // none.
  std::vector<uint32_t> rows = {};
  Readout readout = Readout::kHeadLogits;
  // Of kHiddenStates, the layers that are read of each row, 0 being the
  // embeddings, side by side in the output; empty: the last.
  std::vector<uint32_t> layers = {};
  // What is kept of each row of logits, while the next are not computed yet;
  // null: all of it.
  std::shared_ptr<const BestColumns> best = nullptr;
  // kWordLogits only: what the head reads, and the values that it then gives,
  // about.
  std::shared_ptr<const model::WordReading> reading = nullptr;
  size_t reading_values = 0;
  // What the head's work on the rows, or on the reading, takes, in tokens of
  // the encoder's.
  size_t head_tokens = 0;

  // The work of the sequence, in tokens.
  size_t cost() const { return ids.size() + head_tokens; }
};

struct SequenceOutput {
  // [rows, width]; of kWordLogits as model::LabelHeadKind says, and width is
  // their number.
  std::vector<float> values = {};
  size_t width = 0;
  // With `best`, of each value its column of the row; else empty.
  std::vector<int32_t> columns = {};
};

enum class OffsetUnit { kCodePoints, kUtf8Bytes, kUtf16CodeUnits };
enum class LengthPolicy { kReject, kTruncate, kWindow };

struct Coverage {
  size_t tokens_total = 0;  // special ones included, as unwindowed
  size_t tokens_used = 0;
  size_t windows = 1;
  bool truncated = false;
};

// Text in, possibly with a second text or with answers to choose from.
struct TextInput {
  std::string text = {};
  std::string text_pair = {};  // "" = absent
  std::vector<std::string> choices = {};
};

struct LabelScore {
  std::string label = {};
  int32_t index = 0;
  float score = 0;
};

// Of one request: asks for sequences one at a time, takes the output of each in
// the same order, and keeps of it only what its results need.
//   Create         tokenises; refuses a bad input with InputError()
//   coverage       one an input
//   cost           of what it holds; the answer's part may grow with outputs
//   output_width   values of a row of each output
//   longest_sequence  most tokens of one sequence
//   Next           the next sequence to compute; none after the last
//   Consume        the output of the first sequence not yet consumed; Internal
//                  if it is not what was asked for, InputError() if the answer
//                  grows too large
//   TakeResults    those that are complete and were not taken, in the order of
//                  the inputs
//   Finish         the last of them; Internal unless every output is consumed
template <typename T>
concept Task = std::movable<T> &&
    requires(T task, const T& constant, typename T::Request request,
             const TaskModel& model, SequenceOutput output) {
  { T::Create(std::move(request), model) } -> std::same_as<absl::StatusOr<T>>;
  { constant.coverage() } -> std::same_as<std::vector<Coverage>>;
  { constant.cost() } -> std::same_as<Cost>;
  { constant.output_width() } -> std::same_as<size_t>;
  { constant.longest_sequence() } -> std::same_as<size_t>;
  { task.Next() } -> std::same_as<std::optional<SequenceInput>>;
  { task.Consume(std::move(output)) } -> std::same_as<absl::Status>;
  { task.TakeResults() } -> std::same_as<std::vector<typename T::Result>>;
  {
    task.Finish()
    } -> std::same_as<absl::StatusOr<std::vector<typename T::Result>>>;
};

// InvalidArgument about one field of the request ("inputs[3].text"). The field
// travels as a payload beside the message; rpc/status makes a BadRequest
// violation of it. Descriptions never repeat the request's text.
absl::Status InputError(std::string_view field, std::string_view description);

// The field of a status made by InputError, or "".
std::string InputErrorField(const absl::Status& status);

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_TASK_H_
