#include "server/tasks/group_task.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "absl/strings/str_cat.h"
#include "server/tasks/shared/request_checks.h"
#include "tokenizer/text/text_index.h"

namespace deberta::server {
namespace {

// More instances are never counted.
constexpr size_t kMostCounted = 19;

bool EndsSentence(std::string_view text) {
  return text.ends_with('.') || text.ends_with('!') || text.ends_with('?');
}

// Of the plan's windows, whether the package puts a dot behind the text of
// each, which it reads as a text of its own.
std::vector<bool> DotsOf(std::string_view input, const WordTexts::Text& text) {
  std::vector<bool> dots(text.plan.windows.size(), !EndsSentence(input));
  if (dots.empty() || text.plan.windows.back().end == 0) return dots;
  std::optional<tokenizer::TextIndex> places;
  for (size_t i = 0; i < dots.size(); ++i) {
    const size_t end = text.plan.windows[i].end;
    if (end == text.words.size()) continue;
    if (!places.has_value()) places.emplace(input);
    dots[i] = !EndsSentence(places->Text(text.words[end - 1]));
  }
  return dots;
}

}  // namespace

bool ReadsGroups(const TaskModel& model) {
  return model.label_head != nullptr &&
         model.label_head->kind == model::LabelHeadKind::kGroups;
}

absl::Status GroupTask::AddInputs(std::vector<std::string> inputs,
                                  const Rule& rule) {
  inputs_ = std::move(inputs);
  absl::StatusOr<tokenizer::TokenSequence> dot =
      model_.tokenizer->Tokenize(".");
  if (!dot.ok()) return dot.status();
  dot_ = std::move(dot->ids);
  WordRule words = {.policy = rule.policy,
                    .max_words = model_.label_head->max_words,
                    .max_tokens = model_.max_tokens,
                    .overlap = static_cast<size_t>(rule.stride),
                    .labels_field = labels_field_};
  for (const std::string& input : inputs_) {
    // The whole text needs no dot where a sentence ends.
    const bool dotless =
        rule.policy == LengthPolicy::kReject && EndsSentence(input);
    words.fixed_tokens = prompt_.ids.size() + (dotless ? 0 : dot_.size());
    if (absl::Status s = AddInput(words, rule.reads_blank); !s.ok()) return s;
  }
  return GiveResults();
}

absl::Status GroupTask::AddInput(const WordRule& rule, bool reads_blank) {
  const size_t index = texts_.size();
  if (absl::Status s = texts_.Add(inputs_[index], WordStyle::kGliner2, rule,
                                  *model_.tokenizer);
      !s.ok()) {
    return s;
  }
  if (absl::Status s = answer_.Add(kPieceBytes, "inputs"); !s.ok()) return s;
  const WordTexts::Text& text = texts_[index];
  if (text.words.empty() && reads_blank) {
    if (rule.fixed_tokens > rule.max_tokens) {
      return InputError(labels_field_, absl::StrCat("take ", rule.fixed_tokens,
                                                    " tokens, the limit is ",
                                                    rule.max_tokens));
    }
    texts_.ReadBlank(rule.fixed_tokens);
  }
  dots_.push_back(DotsOf(inputs_[index], text));
  if (const size_t most = Values(text.plan.longest_words);
      most > kMaxRoundFloats) {
    return InputError(
        InputField(index),
        absl::StrCat("asks for too many scores at a time: its ",
                     text.plan.longest_words, " words have up to ", most,
                     " with these labels, the limit is ", kMaxRoundFloats));
  }
  for (const WordPlan::Window& window : text.plan.windows)
    values_ += Values(window.end - window.begin);
  return absl::OkStatus();
}

size_t GroupTask::Values(size_t words) const {
  const size_t spans =
      (prompt_.words() + words + 1) * model_.label_head->max_span_words;
  size_t values = 0;
  for (const model::LabelGroup& group : prompt_.reading.groups) {
    values += group.most_instances == 0
                  ? group.labels
                  : 1 + std::min<size_t>(group.most_instances, kMostCounted) *
                            spans * group.labels;
  }
  return values;
}

Cost GroupTask::cost() const {
  return {.inputs = texts_.size(),
          .tokens = texts_.tokens(),
          .computed_tokens = texts_.computed(),
          .output_floats = std::min(values_, kMaxRoundFloats),
          .answer_bytes = answer_.used() + candidate_bytes()};
}

std::optional<SequenceInput> GroupTask::Next() {
  const std::optional<WordTexts::Window> window = texts_.Next();
  if (!window.has_value()) return std::nullopt;
  const WordTexts::Text& text = texts_[window->input];
  std::vector<int32_t> ids = prompt_.ids;
  model::WordReading reading = prompt_.reading;
  const size_t first = text.TokensBefore(window->begin);
  const size_t shift = ids.size() - first;
  ids.insert(ids.end(), text.ids.data() + first,
             text.ids.data() + text.TokensBefore(window->end));
  for (size_t word = window->begin; word < window->end; ++word) {
    reading.word_begins.push_back(
        static_cast<uint32_t>(text.TokensBefore(word) + shift));
    reading.word_ends.push_back(static_cast<uint32_t>(text.ends[word] + shift));
  }
  if (dots_[window->input][window->index]) {
    reading.word_begins.push_back(static_cast<uint32_t>(ids.size()));
    ids.insert(ids.end(), dot_.begin(), dot_.end());
    reading.word_ends.push_back(static_cast<uint32_t>(ids.size()));
  }
  const size_t words = reading.word_begins.size();
  const size_t labels = reading.labels.size();
  const size_t length = ids.size();
  return SequenceInput{
      .ids = std::move(ids),
      .type_ids = std::vector<int32_t>(length),
      .readout = Readout::kWordLogits,
      .reading = std::make_shared<const model::WordReading>(std::move(reading)),
      .reading_values = Values(window->words()),
      .head_tokens = model_.label_head->HeadTokens(words, labels)};
}

absl::StatusOr<std::vector<GroupTask::Group>> GroupTask::Divide(
    std::span<const float> values, size_t words) const {
  const auto wrong = [](const std::string& what) {
    return absl::InternalError(
        absl::StrCat("the model's output of groups of labels ", what));
  };
  if (!std::ranges::all_of(values, [](float x) { return std::isfinite(x); }))
    return wrong("is not finite");
  std::vector<Group> groups;
  const auto take = [&values](size_t count) {
    const std::span<const float> taken = values.first(count);
    values = values.subspan(count);
    return taken;
  };
  for (const model::LabelGroup& group : prompt_.reading.groups) {
    Group& of = groups.emplace_back();
    const bool classes = group.most_instances == 0;
    const size_t needed = classes ? group.labels : 1;
    if (values.size() < needed) return wrong("ends too early");
    const std::span<const float> taken = take(needed);
    if (classes) {
      of.classes = taken;
      continue;
    }
    if (!(taken[0] >= 0 && taken[0] <= kMostCounted))
      return wrong(absl::StrCat("counts ", taken[0], " instances"));
    const size_t instances =
        std::min(static_cast<size_t>(taken[0]), size_t{group.most_instances});
    const size_t size =
        words * model_.label_head->max_span_words * group.labels;
    if (values.size() < instances * size) return wrong("ends too early");
    for (size_t i = 0; i < instances; ++i) of.instances.push_back(take(size));
  }
  if (!values.empty())
    return wrong(absl::StrCat("has ", values.size(), " values too many"));
  return groups;
}

absl::Status GroupTask::Consume(SequenceOutput output) {
  const std::optional<WordTexts::Window> window = texts_.Current();
  if (!window.has_value())
    return absl::InternalError("the model answered more than was asked");
  Part part = {.input = window->input,
               .begin = window->begin,
               .end = window->end,
               .dots = dots_[window->input][window->index] ? size_t{1} : 0};
  absl::StatusOr<std::vector<Group>> groups =
      Divide(output.values, prompt_.words() + window->words() + part.dots);
  if (!groups.ok()) return groups.status();
  part.groups = *std::move(groups);
  if (absl::Status s = Take(part); !s.ok()) return s;
  texts_.Take();
  return GiveResults();
}

std::span<const float> GroupTask::TextOf(std::span<const float> instance,
                                         size_t labels) const {
  return instance.subspan(prompt_.words() * model_.label_head->max_span_words *
                          labels);
}

absl::Status GroupTask::GiveResults() {
  for (; given_ < texts_.taken(); ++given_) {
    if (absl::Status s = GiveResult(given_); !s.ok()) return s;
    texts_.Forget(given_);
    inputs_[given_].clear();
    inputs_[given_].shrink_to_fit();
  }
  return absl::OkStatus();
}

absl::Status GroupTask::CheckComplete() const {
  if (given_ == texts_.size()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the model answered ", given_, " of ",
                                          texts_.size(), " inputs"));
}

}  // namespace deberta::server
