#include "server/tasks/shared/planned_task.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/tasks/shared/request_checks.h"

namespace deberta::server {
namespace {

using tokenizer::TokenSequence;

}  // namespace

absl::Status PlannedTask::AddTextInputs(std::span<const TextInput> inputs,
                                        const LengthRule& rule) {
  const tokenizer::Tokenizer& tokenizer = *model_.tokenizer;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (absl::Status s = CheckNoChoices(inputs[i], i); !s.ok()) return s;
    for (const std::string& text :
         {std::cref(inputs[i].text), std::cref(inputs[i].text_pair)}) {
      if (absl::Status s = CheckBeginning(tokenizer, text, rule, InputField(i));
          !s.ok()) {
        return s;
      }
    }
    absl::StatusOr<TokenSequence> text =
        TokenizeField(tokenizer, inputs[i].text, InputField(i, "text"));
    if (!text.ok()) return text.status();
    Seconds seconds;
    if (!inputs[i].text_pair.empty()) {
      absl::StatusOr<TokenSequence> pair = TokenizeField(
          tokenizer, inputs[i].text_pair, InputField(i, "text_pair"));
      if (!pair.ok()) return pair.status();
      seconds = std::make_shared<const std::vector<TokenSequence>>(
          1, *std::move(pair));
    }
    if (absl::Status s =
            AddInput(*std::move(text), std::move(seconds), rule, InputField(i));
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

absl::Status PlannedTask::AddTexts(std::span<const std::string> texts,
                                   const LengthRule& rule) {
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string field = InputField(i);
    if (absl::Status s =
            CheckBeginning(*model_.tokenizer, texts[i], rule, field);
        !s.ok()) {
      return s;
    }
    absl::StatusOr<TokenSequence> text =
        TokenizeField(*model_.tokenizer, texts[i], field);
    if (!text.ok()) return text.status();
    if (absl::Status s = AddInput(*std::move(text), nullptr, rule, field);
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

absl::Status PlannedTask::AddInput(TokenSequence first, Seconds seconds,
                                   const LengthRule& rule,
                                   std::string_view field) {
  if (absl::Status s = AddToAnswer(kPieceBytes, "inputs"); !s.ok()) return s;
  if (absl::Status s = CheckTypes(seconds != nullptr, field); !s.ok()) return s;
  Input input = {.first = std::move(first),
                 .seconds = std::move(seconds),
                 .rule = rule,
                 .coverage = {}};
  const size_t pairs = input.seconds == nullptr ? 1 : input.seconds->size();
  for (size_t pair = 0; pair < pairs; ++pair) {
    const TokenSequence* second =
        input.seconds == nullptr ? nullptr : &(*input.seconds)[pair];
    const absl::StatusOr<SequencePlan> plan = SequencePlan::Create(
        *model_.tokenizer, input.first, second, rule, field);
    if (!plan.ok()) return plan.status();
    if (absl::Status s = CheckIds(*plan, field); !s.ok()) return s;
    longest_ = std::max(longest_, plan->longest());
    tokens_ += plan->coverage().tokens_total;
    computed_ += plan->size() == 1 ? plan->coverage().tokens_used
                                   : plan->size() * plan->longest();
    if (plan->coverage().tokens_total > input.coverage.tokens_total) {
      input.coverage = plan->coverage();
    }
  }
  inputs_.push_back(std::move(input));
  return absl::OkStatus();
}

absl::Status PlannedTask::CheckTypes(bool is_pair,
                                     std::string_view field) const {
  const int64_t types = model_.config->type_vocab_size;
  const int32_t largest = model_.tokenizer->max_type_id(is_pair);
  if (types == 0 || largest < types) return absl::OkStatus();
  return InputError(
      field, absl::StrCat("cannot be asked: the tokenizer's template gives the "
                          "type ",
                          largest, ", the model has ", types, " types"));
}

absl::Status PlannedTask::CheckIds(const SequencePlan& plan,
                                   std::string_view field) const {
  const int64_t known = model_.config->vocab_size;
  if (model_.tokenizer->vocab_size() <= known) return absl::OkStatus();
  for (size_t i = 0; i < plan.size(); ++i) {
    for (const int32_t id : plan.Encode(i).ids) {
      if (id < known) continue;
      return InputError(
          field, absl::StrCat("holds the token of id ", id,
                              ", for which the model has no embedding: its "
                              "vocab_size is ",
                              known));
    }
  }
  return absl::OkStatus();
}

std::vector<Coverage> PlannedTask::coverage() const {
  std::vector<Coverage> coverage;
  coverage.reserve(inputs_.size());
  for (const Input& input : inputs_) coverage.push_back(input.coverage);
  return coverage;
}

Cost PlannedTask::cost() const {
  return {.inputs = inputs_.size(),
          .tokens = tokens_,
          .computed_tokens = computed_,
          .output_floats = std::max(
              longest_ * width_, std::min(tokens_ * width_, kMaxRoundFloats)),
          .answer_bytes = answer_.used()};
}

size_t PlannedTask::Pairs(size_t input) const {
  const Seconds& seconds = inputs_[input].seconds;
  return seconds == nullptr ? 1 : seconds->size();
}

SequencePlan PlannedTask::Plan(size_t input, size_t pair) const {
  const Input& of = inputs_[input];
  // AddInput() has found that it can be made.
  return *SequencePlan::Create(
      *model_.tokenizer, of.first,
      of.seconds == nullptr ? nullptr : &(*of.seconds)[pair], of.rule, "");
}

size_t PlannedTask::WindowOf(const SequencePlan& plan,
                             const Place& place) const {
  return last_window_first_ ? plan.size() - 1 - place.window : place.window;
}

void PlannedTask::Advance(const SequencePlan& plan, Place* place) const {
  if (++place->window < plan.size()) return;
  place->window = 0;
  if (++place->pair < Pairs(place->input)) return;
  place->pair = 0;
  ++place->input;
}

std::optional<SequenceInput> PlannedTask::Next() {
  if (next_.input == inputs_.size()) return std::nullopt;
  const SequencePlan plan = Plan(next_.input, next_.pair);
  SequenceInput sequence =
      Reading(next_.input, plan.Encode(WindowOf(plan, next_)));
  if (sequence.readout == Readout::kHeadLogits) {
    sequence.head_tokens = static_cast<size_t>(
        static_cast<double>(sequence.rows.size()) * model_.row_cost);
  }
  Advance(plan, &next_);
  return sequence;
}

absl::Status PlannedTask::Consume(SequenceOutput output) {
  const Place place = taken_;
  if (place == next_) {
    return absl::InternalError("the model answered more than was asked");
  }
  const SequencePlan plan = Plan(place.input, place.pair);
  const size_t window = WindowOf(plan, place);
  const tokenizer::Encoding encoding = plan.Encode(window);
  const SequenceInput sequence = Reading(place.input, encoding);
  if (absl::Status s = CheckOutput(sequence, output, width_); !s.ok()) return s;
  Advance(plan, &taken_);
  Part part = {.input = place.input,
               .first = inputs_[place.input].first,
               .encoding = encoding,
               .sequence = sequence,
               .begin = plan.window(window).first,
               .ends_pair = taken_.window == 0,
               .ends_input = taken_.input != place.input};
  if (!part.ends_pair) {
    part.next_begin = plan.window(WindowOf(plan, taken_)).first;
  }
  if (absl::Status s = Take(part, std::move(output)); !s.ok()) return s;
  if (part.ends_input) {
    inputs_[place.input].first = {};
    inputs_[place.input].seconds = nullptr;
  }
  return absl::OkStatus();
}

absl::Status PlannedTask::CheckComplete() const {
  if (taken_.input == inputs_.size()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the model answered ", taken_.input,
                                          " of ", inputs_.size(), " inputs"));
}

}  // namespace deberta::server
