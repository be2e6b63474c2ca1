#include "server/tasks/word_entities.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/tasks/shared/request_checks.h"
#include "tokenizer/encoding/encoding.h"

namespace deberta::server {
namespace {

using tokenizer::TokenSequence;

bool FindsEntities(const model::LabelHead* head) {
  return head != nullptr &&
         (head->kind == model::LabelHeadKind::kSpans ||
          head->kind == model::LabelHeadKind::kTokens ||
          head->kind == model::LabelHeadKind::kTokensAndSpans);
}

}  // namespace

WordEntitiesTask::WordEntitiesTask(Request request, const TaskModel& model)
    : request_(std::move(request)),
      model_(model),
      thresholds_(Thresholds(request_)),
      answer_(model.max_answer_bytes),
      candidates_({.kind = model.label_head->kind,
                   .max_span_words = model.label_head->max_span_words,
                   .thresholds = thresholds_,
                   .keep_scores = request_.top_k > 0}) {}

absl::StatusOr<WordEntitiesTask> WordEntitiesTask::Create(
    Request request, const TaskModel& model) {
  if (!FindsEntities(model.label_head)) {
    return absl::FailedPreconditionError(
        "the model has no head that finds entities of the caller's labels");
  }
  if (absl::Status s = CheckEntitiesRequest(request); !s.ok()) return s;
  WordEntitiesTask task(std::move(request), model);
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
  if (absl::Status s = task.GiveResults(); !s.ok()) return s;
  return task;
}

absl::Status WordEntitiesTask::AddInput(size_t index, const WordRule& rule) {
  if (absl::Status s = texts_.Add(request_.inputs[index], WordStyle::kGliner,
                                  rule, *model_.tokenizer);
      !s.ok()) {
    return s;
  }
  if (absl::Status s = answer_.Add(kPieceBytes, "inputs"); !s.ok()) return s;
  const WordPlan& plan = texts_[index].plan;
  if (absl::Status s = CheckValues(plan.longest_words, index); !s.ok()) {
    return s;
  }
  for (const WordPlan::Window& window : plan.windows) {
    values_ += Values(window.end - window.begin);
  }
  return absl::OkStatus();
}

size_t WordEntitiesTask::Values(size_t words) const {
  const model::LabelHead& head = *model_.label_head;
  const size_t per_label =
      head.kind == model::LabelHeadKind::kSpans ? head.max_span_words : 3;
  return words * per_label * thresholds_.size();
}

absl::Status WordEntitiesTask::CheckValues(size_t words, size_t index) const {
  if (Values(words) <= kMaxRoundFloats) return absl::OkStatus();
  return InputError(
      InputField(index),
      absl::StrCat("asks for too many scores at a time: ", thresholds_.size(),
                   " labels over ", words, " words are ", Values(words),
                   ", the limit is ", kMaxRoundFloats));
}

Cost WordEntitiesTask::cost() const {
  return {.inputs = texts_.size(),
          .tokens = texts_.tokens(),
          .computed_tokens = texts_.computed(),
          .output_floats = std::min(values_, kMaxRoundFloats),
          .answer_bytes = answer_.used() + candidates_.bytes()};
}

std::optional<SequenceInput> WordEntitiesTask::Next() {
  const std::optional<WordTexts::Window> window = texts_.Next();
  if (!window.has_value()) return std::nullopt;
  const WordTexts::Text& text = texts_[window->input];
  const size_t first = text.TokensBefore(window->begin);
  TokenSequence tokens = {.ids = prompt_.ids, .offsets = {}, .words = {}};
  tokens.ids.insert(tokens.ids.end(), text.ids.data() + first,
                    text.ids.data() + text.TokensBefore(window->end));
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
  for (size_t word = window->begin; word < window->end; ++word) {
    reading.word_begins.push_back(
        static_cast<uint32_t>(text.TokensBefore(word) + shift));
    reading.word_ends.push_back(static_cast<uint32_t>(text.ends[word] + shift));
  }
  const model::LabelHead& head = *model_.label_head;
  if (head.kind == model::LabelHeadKind::kTokensAndSpans) {
    reading.thresholds = thresholds_;
  }
  const size_t words = window->words();
  return SequenceInput{
      .ids = std::move(encoding.ids),
      .type_ids = std::move(encoding.type_ids),
      .readout = Readout::kWordLogits,
      .reading = std::make_shared<const model::WordReading>(std::move(reading)),
      .reading_values = Values(words),
      .head_tokens = head.HeadTokens(words, thresholds_.size())};
}

absl::Status WordEntitiesTask::Consume(SequenceOutput output) {
  const std::optional<WordTexts::Window> window = texts_.Current();
  if (!window.has_value()) {
    return absl::InternalError("the model answered more than was asked");
  }
  absl::Status added =
      candidates_.Add(window->begin, window->words(), output.values);
  if (absl::IsOutOfRange(added)) {
    return TooManyCandidates(window->input);
  }
  if (!added.ok()) return added;
  texts_.Take();
  return GiveResults();
}

absl::Status WordEntitiesTask::GiveResults() {
  for (; given_ < texts_.taken(); ++given_) {
    absl::StatusOr<Result> result = MakeResult(given_);
    if (!result.ok()) return result.status();
    results_.push_back(*std::move(result));
    texts_.Forget(given_);
  }
  return absl::OkStatus();
}

absl::StatusOr<ExtractEntitiesResult> WordEntitiesTask::MakeResult(
    size_t input) {
  const WordTexts::Text& text = texts_[input];
  Result result = {.entities = {}, .coverage = text.plan.coverage};
  absl::StatusOr<std::vector<ExtractedEntity>> entities =
      TakeEntities(request_, request_.inputs[input], input, text.words,
                   request_.overlap, candidates_, answer_);
  if (!entities.ok()) return entities.status();
  result.entities = *std::move(entities);
  return result;
}

absl::StatusOr<std::vector<ExtractEntitiesResult>> WordEntitiesTask::Finish() {
  if (given_ < texts_.size()) {
    return absl::InternalError(absl::StrCat("the model answered ", given_,
                                            " of ", texts_.size(), " inputs"));
  }
  return TakeResults();
}

}  // namespace deberta::server
