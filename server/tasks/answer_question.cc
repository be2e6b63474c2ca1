#include "server/tasks/answer_question.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/shared/request_checks.h"
#include "server/tasks/shared/text_location.h"

namespace deberta::server {
namespace {

using tokenizer::TokenSequence;
using Rule = AnswerQuestionRequest::Rule;

constexpr size_t kLogits = 2;  // start, end
constexpr size_t kDefaultTopK = 1;
constexpr size_t kDefaultAnswerTokens = 15;
constexpr size_t kDefaultWindow = 384;
constexpr size_t kDefaultOverlap = 128;

// A candidate may be as long as its window's text: the characters that those of
// one window have, and how many those of all windows are, is limited, or one
// request could keep a thread busy or ask for gigabytes.
constexpr size_t kMaxCandidateText = size_t{1} << 27;
constexpr size_t kMaxCandidates = size_t{1} << 22;

size_t OrDefault(int64_t value, size_t fallback) {
  return value == 0 ? fallback : static_cast<size_t>(value);
}

absl::Status CheckNumbers(const AnswerQuestionRequest& request,
                          size_t max_tokens) {
  for (const auto& [value, field] :
       {std::pair(request.top_k, "top_k"),
        std::pair(request.max_answer_tokens, "max_answer_tokens"),
        std::pair(request.stride, "stride"),
        std::pair(request.max_window_tokens, "max_window_tokens")}) {
    if (absl::Status s = CheckNotNegative(value, field); !s.ok()) return s;
  }
  if (static_cast<size_t>(request.max_window_tokens) > max_tokens) {
    return InputError("max_window_tokens",
                      absl::StrCat("is ", request.max_window_tokens,
                                   ", the model's limit is ", max_tokens));
  }
  if (std::isnan(request.null_threshold)) {
    return InputError("null_threshold", "must be a number, got NaN");
  }
  return absl::OkStatus();
}

size_t WindowTokens(const AnswerQuestionRequest& request, size_t max_tokens) {
  return OrDefault(request.max_window_tokens,
                   std::min(kDefaultWindow, max_tokens));
}

AnswerRule ToRule(const AnswerQuestionRequest& request,
                  const TaskModel& model) {
  // More answers there never are, and twice as many do not overflow.
  return {
      .top_k = std::min(OrDefault(request.top_k, kDefaultTopK), kMaxCandidates),
      .max_answer_tokens =
          std::min(OrDefault(request.max_answer_tokens, kDefaultAnswerTokens),
                   WindowTokens(request, model.max_tokens)),
      .align_to_words = request.align_to_words,
      .handle_impossible_answer = request.handle_impossible_answer,
      .cls_id = model.tokenizer->special_ids().cls,
      .context_first =
          model.tokenizer->padding_side() == tokenizer::Side::kLeft,
      .null_threshold = request.null_threshold};
}

// How one question's context is windowed, or an InputError if the question
// leaves no room.
absl::StatusOr<LengthRule> WindowRule(const AnswerQuestionRequest& request,
                                      size_t window, size_t question,
                                      size_t special, bool context_first,
                                      size_t index) {
  const size_t fixed = question + special;
  if (fixed >= window) {
    return InputError(
        request.max_window_tokens > 0 ? "max_window_tokens"
                                      : InputField(index, "question"),
        absl::StrCat("the question has ", question,
                     " tokens; with the special ones and one of the context "
                     "they do not fit into a window of ",
                     window));
  }
  size_t overlap = std::min(window / 2, kDefaultOverlap);
  // A long question leaves less room than the default overlap wants.
  if (overlap >= window - fixed) overlap = (window - fixed) / 2;
  return LengthRule{.policy = LengthPolicy::kWindow,
                    .max_tokens = window,
                    .overlap = OrDefault(request.stride, overlap),
                    .keep_second = context_first};
}

}  // namespace

absl::StatusOr<AnswerQuestionTask> AnswerQuestionTask::Create(
    Request request, const TaskModel& model) {
  if (absl::Status s = CheckAnyInputs(request.inputs.size()); !s.ok()) return s;
  if (absl::Status s = CheckNumbers(request, model.max_tokens); !s.ok()) {
    return s;
  }
  AnswerQuestionTask task(std::move(request), model);
  for (size_t i = 0; i < task.request().inputs.size(); ++i) {
    if (absl::Status s = task.AddQuestion(i); !s.ok()) return s;
    if (absl::Status s = task.CheckCandidates(i); !s.ok()) return s;
  }
  return task;
}

AnswerQuestionTask::AnswerQuestionTask(Request request, const TaskModel& model)
    : RequestTask(std::move(request), model, kLogits),
      rule_(ToRule(this->request(), model)) {
  // As the reference's windows come: answers of equal score keep their order.
  if (model.tokenizer->truncation_side() == tokenizer::Side::kLeft) {
    TakeLastWindowFirst();
  }
}

absl::Status AnswerQuestionTask::AddQuestion(size_t input) {
  const tokenizer::Tokenizer& tokenizer = *model().tokenizer;
  const QuestionInput& texts = request().inputs[input];
  absl::StatusOr<TokenSequence> question =
      TokenizeField(tokenizer, texts.question, InputField(input, "question"));
  if (!question.ok()) return question.status();
  absl::StatusOr<TokenSequence> context =
      TokenizeField(tokenizer, texts.context, InputField(input, "context"));
  if (!context.ok()) return context.status();
  const absl::StatusOr<LengthRule> lengths = WindowRule(
      request(), WindowTokens(request(), model().max_tokens), question->size(),
      tokenizer.template_tokens(/*is_pair=*/true), rule_.context_first, input);
  if (!lengths.ok()) return lengths.status();
  if (rule_.context_first) std::swap(*question, *context);
  return AddInput(*std::move(question),
                  std::make_shared<const std::vector<TokenSequence>>(
                      1, *std::move(context)),
                  *lengths, InputField(input));
}

absl::Status AnswerQuestionTask::CheckCandidates(size_t input) const {
  if (request().rule == Rule::kSquadV2) return absl::OkStatus();  // 20 at most
  const SequencePlan plan = Plan(input, 0);
  const size_t cells = std::min(CandidatesPerWindow(rule_),
                                plan.longest() * rule_.max_answer_tokens);
  if (plan.size() > kMaxCandidates / cells) {
    return InputError(
        "top_k", absl::StrCat("asks for up to ", cells,
                              " candidates of each of ", plan.size(),
                              " windows, the ", "limit is ", kMaxCandidates));
  }
  const size_t text = cells * plan.longest_text();
  if (text > kMaxCandidateText) {
    return InputError("top_k",
                      absl::StrCat("asks for candidates of up to ", text,
                                   " characters in a window, the limit is ",
                                   kMaxCandidateText));
  }
  return absl::OkStatus();
}

SequenceInput AnswerQuestionTask::Reading(
    size_t, const tokenizer::Encoding& encoding) const {
  return ToSequence(encoding, AllRows(encoding.size()), Readout::kHeadLogits);
}

absl::Status AnswerQuestionTask::Take(const Part& part, SequenceOutput output) {
  if (context_ == nullptr) {
    context_ = std::make_unique<const tokenizer::TextIndex>(
        request().inputs[part.input].context);
    if (request().rule == Rule::kSquadV2) {
      squad_v2_.emplace(rule_);
    } else {
      pipeline_.emplace(context_.get(), rule_);
    }
  }
  const AnswerWindow window = {&part.encoding, output.values};
  if (squad_v2_.has_value()) {
    squad_v2_->Add(window);
  } else {
    pipeline_->Add(window);
  }
  return part.ends_input ? FinishInput(part.input) : absl::OkStatus();
}

absl::Status AnswerQuestionTask::FinishInput(size_t input) {
  Result result = {.answers = {}, .coverage = coverage(input)};
  for (const AnswerSpan& answer : squad_v2_.has_value()
                                      ? std::move(*squad_v2_).Best()
                                      : std::move(*pipeline_).Best()) {
    TextLocation location =
        Locate(*context_, answer.span, request().offset_unit,
               /*trim=*/!request().raw_offsets);
    if (absl::Status s =
            AddToAnswer(kPieceBytes + location.text.size(), "top_k");
        !s.ok()) {
      return s;
    }
    result.answers.push_back({.text = std::move(location.text),
                              .score = static_cast<float>(answer.score),
                              .start = location.start,
                              .end = location.end,
                              .no_answer = answer.no_answer});
  }
  AddResult(std::move(result));
  squad_v2_.reset();
  pipeline_.reset();
  context_.reset();
  return absl::OkStatus();
}

}  // namespace deberta::server
