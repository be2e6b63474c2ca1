#include "server/tasks/label_classes.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/shared/request_checks.h"
#include "tokenizer/encoding/encoding.h"
#include "tokenizer/text/unicode.h"

namespace deberta::server {
namespace {

using tokenizer::TokenSequence;

// Of the request's prompt, which is tokenized beside each text.
constexpr size_t kMostPromptBytes = size_t{4} << 20;

// Tokens that the template puts before a text.
size_t LeadingTokens(const tokenizer::Tokenizer& tokenizer) {
  const TokenSequence one = {.ids = {0}, .offsets = {{}}, .words = {0}};
  const std::vector<uint8_t> mask =
      tokenizer.Assemble(one, nullptr).special_tokens_mask;
  return static_cast<size_t>(std::ranges::find(mask, 0) - mask.begin());
}

}  // namespace

LabelClassesTask::LabelClassesTask(Request request, const TaskModel& model,
                                   size_t labels)
    : RequestTask(std::move(request), model, /*width=*/labels),
      leading_(LeadingTokens(*model.tokenizer)) {}

absl::StatusOr<LabelClassesTask> LabelClassesTask::Create(
    Request request, const TaskModel& model) {
  if (absl::Status s = CheckZeroShotRequest(request); !s.ok()) return s;
  if (!request.hypothesis_template.empty()) {
    return InputError("hypothesis_template",
                      "expected none: the model reads labels as they are; "
                      "\"prompt\" can say more");
  }
  const size_t labels = request.labels.size();
  LabelClassesTask task(std::move(request), model, labels);
  const size_t label_bytes = ZeroShotAnswerBytes(task.request());
  for (size_t i = 0; i < task.request().inputs.size(); ++i) {
    if (absl::Status s = task.AddToAnswer(label_bytes, "labels"); !s.ok())
      return s;
  }
  if (absl::Status s = task.MakePrompt(); !s.ok()) return s;
  for (size_t i = 0; i < task.request().inputs.size(); ++i) {
    if (absl::Status s = task.AddText(i); !s.ok()) return s;
  }
  return task;
}

absl::Status LabelClassesTask::MakePrompt() {
  const tokenizer::Tokenizer& tokenizer = *model().tokenizer;
  std::vector<LabelText> texts;
  for (size_t i = 0; i < request().labels.size(); ++i)
    texts.push_back({request().labels[i], ZeroShotLabelField(i)});
  absl::StatusOr<LabelPrompt> prompt =
      server::MakePrompt(texts, tokenizer, *model().label_head);
  if (!prompt.ok()) return prompt.status();
  prompt_ = *std::move(prompt);
  instructions_.resize(labels_first() ? request().inputs.size() : 1);
  if (request().prompt.empty()) return absl::OkStatus();
  if (request().prompt.size() > kMostPromptBytes / request().inputs.size()) {
    return InputError(
        "prompt", absl::StrCat("has ", request().prompt.size(),
                               " bytes, beside so many inputs the limit is ",
                               kMostPromptBytes / request().inputs.size()));
  }
  absl::StatusOr<TokenSequence> instruction =
      TokenizePlain(tokenizer, request().prompt, "prompt");
  if (!instruction.ok()) return instruction.status();
  if (!labels_first()) instructions_.front() = std::move(instruction->ids);
  return absl::OkStatus();
}

absl::Status LabelClassesTask::AddText(size_t index) {
  const tokenizer::Tokenizer& tokenizer = *model().tokenizer;
  const std::string& input = request().inputs[index];
  const std::string field = InputField(index);
  LengthRule rule = {.policy = request().length_policy,
                     .max_tokens = model().max_tokens,
                     .overlap = static_cast<size_t>(request().stride)};
  if (absl::Status s = CheckBeginning(tokenizer, input, rule, field); !s.ok())
    return s;
  // Nothing stands between prompt and text: they are tokenized together.
  const bool together =
      labels_first() && !request().prompt.empty() && !input.empty();
  absl::StatusOr<TokenSequence> text = TokenizeField(
      tokenizer, together ? absl::StrCat(request().prompt, input) : input,
      field);
  if (!text.ok()) return text.status();
  if (together) {
    const size_t length = tokenizer::CountCodePoints(request().prompt);
    const auto end = std::ranges::find_if(
        text->offsets,
        [length](const tokenizer::Span& span) { return span.start >= length; });
    const auto count = static_cast<size_t>(end - text->offsets.begin());
    instructions_[index].assign(
        text->ids.begin(),
        text->ids.begin() + static_cast<std::ptrdiff_t>(count));
    *text = tokenizer::Slice(*text, count, text->size());
  }
  rule.fixed_tokens = prompt_.ids.size() + InstructionOf(index).size();
  return AddInput(*std::move(text), nullptr, rule, field);
}

SequenceInput LabelClassesTask::Reading(
    size_t input, const tokenizer::Encoding& encoding) const {
  const model::LabelHead& head = *model().label_head;
  const size_t trailing = model().tokenizer->template_tokens(false) - leading_;
  const size_t place =
      head.labels_first ? leading_ : encoding.size() - trailing;
  SequenceInput sequence = {.ids = encoding.ids,
                            .readout = Readout::kWordLogits,
                            .reading_values = request().labels.size()};
  const std::vector<int32_t>& instruction = InstructionOf(input);
  const auto at = sequence.ids.insert(
                      sequence.ids.begin() + static_cast<std::ptrdiff_t>(place),
                      prompt_.ids.begin(), prompt_.ids.end()) +
                  static_cast<std::ptrdiff_t>(prompt_.ids.size());
  sequence.ids.insert(at, instruction.begin(), instruction.end());

  const auto length = static_cast<uint32_t>(sequence.ids.size());
  const auto first = static_cast<uint32_t>(place);
  const auto separator = static_cast<uint32_t>(place + prompt_.ids.size() - 1);
  sequence.type_ids.assign(length, 0);
  if (head.marks_separator)
    std::fill(sequence.type_ids.begin() + separator, sequence.type_ids.end(),
              1);

  model::WordReading reading;
  reading.word_begins = {head.reads_from_separator ? separator : 0};
  reading.word_ends = {length};
  for (const uint32_t label : prompt_.labels)
    reading.labels.push_back(first + label);
  if (head.averages_labels) {
    const uint32_t own = head.reads_label_token ? 0 : 1;
    for (size_t i = 1; i < reading.labels.size(); ++i)
      reading.label_ends.push_back(
          std::max(reading.labels[i] - own, reading.labels[i - 1] + 1));
    reading.label_ends.push_back(
        std::max(head.reads_from_separator ? separator : length,
                 reading.labels.back() + 1));
  }
  sequence.head_tokens = head.HeadTokens(length, reading.labels.size());
  sequence.reading =
      std::make_shared<const model::WordReading>(std::move(reading));
  return sequence;
}

absl::Status LabelClassesTask::Take(const Part& part, SequenceOutput output) {
  mean_.Add(output.values);
  if (!part.ends_input) return absl::OkStatus();
  std::vector<float> scores = mean_.Take();
  if (request().multi_label) {
    std::ranges::transform(scores, scores.begin(), Sigmoid);
  } else {
    Softmax(scores);
  }
  AddResult(MakeZeroShotResult(request(), scores, coverage(part.input)));
  return absl::OkStatus();
}

}  // namespace deberta::server
