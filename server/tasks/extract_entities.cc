#include "server/tasks/extract_entities.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "server/tasks/shared/request_checks.h"
#include "server/tasks/shared/scores.h"
#include "server/tasks/shared/text_location.h"
#include "tokenizer/encoding/encoding.h"
#include "tokenizer/text/text_index.h"
#include "tokenizer/text/unicode.h"
#include "tokenizer/text/words.h"

namespace deberta::server {
namespace {

using tokenizer::TextIndex;
using tokenizer::TokenSequence;

bool FindsEntities(const model::LabelHead* head) {
  return head != nullptr &&
         (head->kind == model::LabelHeadKind::kSpans ||
          head->kind == model::LabelHeadKind::kTokens ||
          head->kind == model::LabelHeadKind::kTokensAndSpans);
}

absl::Status CheckThreshold(float threshold, std::string_view field) {
  if (threshold > 0 && threshold < 1) return absl::OkStatus();
  return InputError(
      field,
      absl::StrCat("expected more than 0 and less than 1, got ", threshold));
}

absl::Status CheckRequest(const ExtractEntitiesRequest& request) {
  absl::Status status = CheckAnyInputs(request.inputs.size());
  status.Update(CheckNotNegative(request.stride, "stride"));
  status.Update(CheckNotNegative(request.top_k, "top_k"));
  status.Update(CheckThreshold(request.threshold, "threshold"));
  for (size_t i = 0; i < request.labels.size(); ++i) {
    if (!request.labels[i].threshold.has_value()) continue;
    status.Update(CheckThreshold(*request.labels[i].threshold,
                                 absl::StrCat("labels[", i, "].threshold")));
  }
  return status;
}

std::vector<float> Thresholds(const ExtractEntitiesRequest& request) {
  std::vector<float> thresholds;
  for (const EntityLabel& label : request.labels) {
    thresholds.push_back(label.threshold.value_or(request.threshold));
  }
  return thresholds;
}

}  // namespace

ExtractEntitiesTask::ExtractEntitiesTask(Request request,
                                         const TaskModel& model)
    : request_(std::move(request)),
      model_(model),
      thresholds_(Thresholds(request_)),
      answer_(model.max_answer_bytes),
      candidates_({.kind = model.label_head->kind,
                   .max_span_words = model.label_head->max_span_words,
                   .thresholds = thresholds_,
                   .keep_scores = request_.top_k > 0}) {}

absl::StatusOr<ExtractEntitiesTask> ExtractEntitiesTask::Create(
    Request request, const TaskModel& model) {
  if (!FindsEntities(model.label_head)) {
    return absl::FailedPreconditionError(
        "the model has no head that finds entities of the caller's labels");
  }
  if (absl::Status s = CheckRequest(request); !s.ok()) return s;
  ExtractEntitiesTask task(std::move(request), model);
  absl::StatusOr<LabelPrompt> prompt = MakeLabelPrompt(
      task.request_.labels, *model.tokenizer, *model.label_head);
  if (!prompt.ok()) return prompt.status();
  task.prompt_ = *std::move(prompt);
  const WordRule rule = {
      .policy = task.request_.length_policy,
      .max_words = model.label_head->max_words,
      .max_tokens = model.max_tokens,
      .overlap = static_cast<size_t>(task.request_.stride),
      .fixed_tokens = task.prompt_.ids.size() +
                      model.tokenizer->template_tokens(/*is_pair=*/false)};
  for (size_t i = 0; i < task.request_.inputs.size(); ++i) {
    if (absl::Status s = task.AddInput(i, rule); !s.ok()) return s;
  }
  task.SkipTextsWithoutWindows(&task.next_);
  task.SkipTextsWithoutWindows(&task.taken_);
  if (absl::Status s = task.GiveResults(); !s.ok()) return s;
  return task;
}

absl::Status ExtractEntitiesTask::AddInput(size_t index, const WordRule& rule) {
  const std::string& input = request_.inputs[index];
  const std::string field = InputField(index);
  if (input.empty()) return InputError(field, "must not be empty");
  if (const auto invalid = tokenizer::FindInvalidUtf8(input)) {
    return InputError(
        field, absl::StrCat("text: expected UTF-8, got an invalid byte at "
                            "offset ",
                            *invalid));
  }
  if (absl::Status s = answer_.Add(kPieceBytes, "inputs"); !s.ok()) return s;
  Text& text = texts_.emplace_back();
  text.words = tokenizer::GlinerWords(input);
  if (text.words.empty()) {
    text.plan.coverage.windows = 0;
    return absl::OkStatus();
  }
  // Before anything is tokenized that would be refused.
  if (absl::Status s = CheckWordCount(text.words.size(), rule, field);
      !s.ok()) {
    return s;
  }
  const TextIndex places(input);
  text.ends.reserve(text.words.size());
  for (const tokenizer::Span word : text.words) {
    absl::StatusOr<TokenSequence> tokens =
        TokenizeField(*model_.tokenizer, places.Text(word), field);
    if (!tokens.ok()) return tokens.status();
    text.ids.insert(text.ids.end(), tokens->ids.begin(), tokens->ids.end());
    text.ends.push_back(static_cast<uint32_t>(text.ids.size()));
  }
  absl::StatusOr<WordPlan> plan = PlanWords(text.ends, rule, field);
  if (!plan.ok()) return plan.status();
  text.plan = *std::move(plan);
  if (absl::Status s = CheckValues(text.plan.longest_words, index); !s.ok()) {
    return s;
  }
  longest_ = std::max(longest_, text.plan.longest);
  tokens_ += text.plan.coverage.tokens_total;
  for (const WordPlan::Window& window : text.plan.windows) {
    const size_t before = window.begin == 0 ? 0 : text.ends[window.begin - 1];
    computed_ += rule.fixed_tokens + text.ends[window.end - 1] - before;
    values_ += Values(window.end - window.begin);
  }
  return absl::OkStatus();
}

size_t ExtractEntitiesTask::Values(size_t words) const {
  const model::LabelHead& head = *model_.label_head;
  const size_t per_label =
      head.kind == model::LabelHeadKind::kSpans ? head.max_span_words : 3;
  return words * per_label * thresholds_.size();
}

absl::Status ExtractEntitiesTask::CheckValues(size_t words,
                                              size_t index) const {
  if (Values(words) <= kMaxRoundFloats) return absl::OkStatus();
  return InputError(
      InputField(index),
      absl::StrCat("asks for too many scores at a time: ", thresholds_.size(),
                   " labels over ", words, " words are ", Values(words),
                   ", the limit is ", kMaxRoundFloats));
}

std::vector<Coverage> ExtractEntitiesTask::coverage() const {
  std::vector<Coverage> coverage;
  coverage.reserve(texts_.size());
  for (const Text& text : texts_) coverage.push_back(text.plan.coverage);
  return coverage;
}

Cost ExtractEntitiesTask::cost() const {
  return {.inputs = texts_.size(),
          .tokens = tokens_,
          .computed_tokens = computed_,
          .output_floats = std::min(values_, kMaxRoundFloats),
          .answer_bytes = answer_.used() + candidates_.bytes()};
}

void ExtractEntitiesTask::SkipTextsWithoutWindows(Place* place) const {
  while (place->input < texts_.size() &&
         place->window == texts_[place->input].plan.windows.size()) {
    *place = {.input = place->input + 1, .window = 0};
  }
}

void ExtractEntitiesTask::Advance(Place* place) const {
  ++place->window;
  SkipTextsWithoutWindows(place);
}

std::optional<SequenceInput> ExtractEntitiesTask::Next() {
  if (next_.input == texts_.size()) return std::nullopt;
  const Text& text = texts_[next_.input];
  const auto [begin, end] = text.plan.windows[next_.window];
  Advance(&next_);
  const size_t first = begin == 0 ? 0 : text.ends[begin - 1];
  TokenSequence tokens = {.ids = prompt_.ids, .offsets = {}, .words = {}};
  tokens.ids.insert(tokens.ids.end(), text.ids.data() + first,
                    text.ids.data() + text.ends[end - 1]);
  tokens.offsets.resize(tokens.ids.size());
  tokens.words.resize(tokens.ids.size());
  tokenizer::Encoding encoding = model_.tokenizer->Assemble(tokens, nullptr);
  const auto prompt =
      static_cast<uint32_t>(std::ranges::find(encoding.special_tokens_mask, 0) -
                            encoding.special_tokens_mask.begin());

  model::WordReading reading;
  for (const uint32_t label : prompt_.labels) {
    reading.labels.push_back(prompt + label);
  }
  const size_t shift = prompt + prompt_.ids.size() - first;
  for (size_t word = begin; word < end; ++word) {
    const size_t before = word == 0 ? 0 : text.ends[word - 1];
    reading.word_begins.push_back(static_cast<uint32_t>(before + shift));
    reading.word_ends.push_back(static_cast<uint32_t>(text.ends[word] + shift));
  }
  const model::LabelHead& head = *model_.label_head;
  if (head.kind == model::LabelHeadKind::kTokensAndSpans) {
    reading.thresholds = thresholds_;
  }
  const size_t words = end - begin;
  return SequenceInput{
      .ids = std::move(encoding.ids),
      .type_ids = std::move(encoding.type_ids),
      .readout = Readout::kWordLogits,
      .reading = std::make_shared<const model::WordReading>(std::move(reading)),
      .reading_values = Values(words),
      .head_tokens = head.HeadTokens(words, thresholds_.size())};
}

absl::Status ExtractEntitiesTask::Consume(SequenceOutput output) {
  if (taken_ == next_) {
    return absl::InternalError("the model answered more than was asked");
  }
  const auto [begin, end] = texts_[taken_.input].plan.windows[taken_.window];
  absl::Status added = candidates_.Add(begin, end - begin, output.values);
  if (absl::IsOutOfRange(added)) {
    return InputError(
        InputField(taken_.input),
        absl::StrCat("has more than ", SpanCandidates::kMost,
                     " spans, or scores of them, above the threshold: expected "
                     "a higher threshold, fewer labels or a shorter text"));
  }
  if (!added.ok()) return added;
  Advance(&taken_);
  return GiveResults();
}

absl::Status ExtractEntitiesTask::GiveResults() {
  for (; given_ < taken_.input; ++given_) {
    absl::StatusOr<Result> result = MakeResult(given_);
    if (!result.ok()) return result.status();
    results_.push_back(*std::move(result));
    const Coverage coverage = texts_[given_].plan.coverage;
    texts_[given_] = {};
    texts_[given_].plan.coverage = coverage;
  }
  return absl::OkStatus();
}

absl::StatusOr<ExtractEntitiesResult> ExtractEntitiesTask::MakeResult(
    size_t input) {
  const Text& text = texts_[input];
  Result result = {.entities = {}, .coverage = text.plan.coverage};
  if (text.words.empty()) return result;
  const TextIndex index(request_.inputs[input]);
  for (const EntitySpan& span :
       ChooseSpans(candidates_.Take(), request_.overlap)) {
    TextLocation location =
        Locate(index, {text.words[span.first].start, text.words[span.last].end},
               request_.offset_unit, /*trim=*/false);
    ExtractedEntity& entity = result.entities.emplace_back();
    entity = {.label = request_.labels[span.label].name,
              .label_index = span.label,
              .score = span.score,
              .text = std::move(location.text),
              .start = location.start,
              .end = location.end,
              .labels = BestLabels(span)};
    size_t bytes = kPieceBytes + entity.label.size() + entity.text.size();
    for (const LabelScore& label : entity.labels) {
      bytes += kPieceBytes + label.label.size();
    }
    if (absl::Status s = answer_.Add(bytes, InputField(input)); !s.ok()) {
      return s;
    }
  }
  candidates_.ForgetScores();
  return result;
}

std::vector<LabelScore> ExtractEntitiesTask::BestLabels(
    const EntitySpan& span) const {
  std::vector<LabelScore> labels;
  if (request_.top_k == 0) return labels;
  const std::vector<float> scores = candidates_.Scores(span);
  for (const uint32_t index :
       TopIndices(scores, static_cast<size_t>(request_.top_k))) {
    labels.push_back({.label = request_.labels[index].name,
                      .index = static_cast<int32_t>(index),
                      .score = scores[index]});
  }
  return labels;
}

absl::StatusOr<std::vector<ExtractEntitiesResult>>
ExtractEntitiesTask::Finish() {
  if (given_ < texts_.size()) {
    return absl::InternalError(absl::StrCat("the model answered ", given_,
                                            " of ", texts_.size(), " inputs"));
  }
  return TakeResults();
}

}  // namespace deberta::server
