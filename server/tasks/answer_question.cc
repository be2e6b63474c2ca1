#include "server/tasks/answer_question.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/answer_spans.h"
#include "server/tasks/request_checks.h"
#include "server/tasks/sequence_plan.h"
#include "server/tasks/text_location.h"
#include "tokenizer/text_index.h"

namespace deberta::server {
namespace {

using tokenizer::TokenSequence;
using Rule = AnswerQuestionRequest::Rule;

constexpr size_t kDefaultTopK = 1;
constexpr size_t kDefaultAnswerTokens = 15;
constexpr size_t kDefaultWindow = 384;
constexpr size_t kDefaultOverlap = 128;

// A candidate may be as long as its window's text, and each may become an
// answer: the characters of all of them are limited, or one request could ask
// for gigabytes.
constexpr size_t kMaxCandidateText = size_t{1} << 27;

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
  constexpr size_t kMostAnswers = kMaxCandidateText;
  return {
      .top_k = std::min(OrDefault(request.top_k, kDefaultTopK), kMostAnswers),
      .max_answer_tokens =
          std::min(OrDefault(request.max_answer_tokens, kDefaultAnswerTokens),
                   WindowTokens(request, model.max_tokens)),
      .align_to_words = request.align_to_words,
      .handle_impossible_answer = request.handle_impossible_answer,
      .cls_id = model.tokenizer->special_ids().cls,
      .null_threshold = request.null_threshold};
}

// How one question's context is windowed, or an InputError if the question
// leaves no room.
absl::StatusOr<LengthRule> WindowRule(const AnswerQuestionRequest& request,
                                      size_t window, size_t question,
                                      size_t special, size_t index) {
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
                    .overlap = OrDefault(request.stride, overlap)};
}

// At most so many characters are in the window's candidates.
size_t CandidateText(const tokenizer::Encoding& encoding,
                     const AnswerRule& rule) {
  uint32_t begin = std::numeric_limits<uint32_t>::max();
  uint32_t end = 0;
  for (size_t i = 0; i < encoding.size(); ++i) {
    if (encoding.sequence_ids[i] != 1) continue;
    begin = std::min(begin, encoding.offsets[i].start);
    end = std::max(end, encoding.offsets[i].end);
  }
  const size_t cells = std::min(CandidatesPerWindow(rule),
                                encoding.size() * rule.max_answer_tokens);
  return begin < end ? cells * (end - begin) : 0;
}

}  // namespace

absl::StatusOr<AnswerQuestionTask> AnswerQuestionTask::Create(
    Request request, const TaskModel& model) {
  if (absl::Status s = CheckAnyInputs(request.inputs.size()); !s.ok()) return s;
  if (absl::Status s = CheckNumbers(request, model.max_tokens); !s.ok()) {
    return s;
  }
  AnswerQuestionTask task(std::move(request), model);
  const tokenizer::Tokenizer& tokenizer = *model.tokenizer;
  const size_t window = WindowTokens(task.request_, model.max_tokens);
  const AnswerRule rule = ToRule(task.request_, model);
  SequencePlanner planner(tokenizer);
  size_t candidate_text = 0;
  for (size_t i = 0; i < task.request_.inputs.size(); ++i) {
    const QuestionInput& input = task.request_.inputs[i];
    absl::StatusOr<TokenSequence> question =
        TokenizeField(tokenizer, input.question, InputField(i, "question"));
    if (!question.ok()) return question.status();
    absl::StatusOr<TokenSequence> context =
        TokenizeField(tokenizer, input.context, InputField(i, "context"));
    if (!context.ok()) return context.status();
    absl::StatusOr<LengthRule> lengths =
        WindowRule(task.request_, window, question->size(),
                   tokenizer.template_tokens(/*is_pair=*/true), i);
    if (!lengths.ok()) return lengths.status();
    absl::StatusOr<SequencePlan> plan =
        planner.Plan(*question, &*context, *lengths, InputField(i));
    if (!plan.ok()) return plan.status();
    for (tokenizer::Encoding& encoding : plan->encodings) {
      candidate_text += CandidateText(encoding, rule);
      task.sequences_.push_back(
          ToSequence(encoding, AllRows(encoding.size()), Readout::kHeadLogits));
      task.encodings_.push_back(std::move(encoding));
    }
    task.coverage_.push_back(plan->coverage);
    if (candidate_text > kMaxCandidateText) {
      return InputError(
          "top_k",
          absl::StrCat("asks for candidates of up to ", candidate_text,
                       " characters, the limit is ", kMaxCandidateText));
    }
  }
  return task;
}

std::vector<Coverage> AnswerQuestionTask::coverage() const { return coverage_; }

absl::StatusOr<std::vector<AnswerQuestionResult>> AnswerQuestionTask::Finish(
    std::span<const SequenceOutput> outputs) const {
  if (absl::Status s = CheckOutputs(sequences_, outputs, 2); !s.ok()) return s;
  const AnswerRule rule = ToRule(request_, model_);
  std::vector<AnswerQuestionResult> results;
  results.reserve(coverage_.size());
  size_t next = 0;
  for (size_t i = 0; i < coverage_.size(); ++i) {
    std::vector<AnswerWindow> windows;
    for (size_t w = 0; w < coverage_[i].windows; ++w, ++next) {
      windows.push_back({&encodings_[next], outputs[next].values});
    }
    const tokenizer::TextIndex context(request_.inputs[i].context);
    AnswerQuestionResult& result = results.emplace_back();
    for (const AnswerSpan& answer :
         request_.rule == Rule::kSquadV2
             ? SquadV2Answers(windows, rule)
             : PipelineAnswers(windows, context, rule)) {
      TextLocation location = Locate(context, answer.span, request_.offset_unit,
                                     /*trim=*/!request_.raw_offsets);
      result.answers.push_back({.text = std::move(location.text),
                                .score = static_cast<float>(answer.score),
                                .start = location.start,
                                .end = location.end,
                                .no_answer = answer.no_answer});
    }
    result.coverage = coverage_[i];
  }
  return results;
}

}  // namespace deberta::server
