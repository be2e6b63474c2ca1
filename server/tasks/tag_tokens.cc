#include "server/tasks/tag_tokens.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "server/tasks/request_checks.h"
#include "server/tasks/scores.h"
#include "server/tasks/sequence_plan.h"
#include "server/tasks/tag_aggregation.h"
#include "server/tasks/text_location.h"
#include "tokenizer/text_index.h"

namespace deberta::server {
namespace {

using tokenizer::Encoding;
using tokenizer::Span;
using tokenizer::TextIndex;
using Aggregation = TagTokensRequest::Aggregation;

// The reference's word test: not at the start, and no space just before the
// token or as its first character.
bool IsSubword(const TextIndex& text, Span span) {
  if (span.start == 0) return false;
  const uint32_t end = std::min(span.start + 1, text.code_points());
  return text.Text({span.start - 1, end}).find(' ') == std::string_view::npos;
}

// Probabilities of one sequence, [rows, labels].
std::vector<float> Probabilities(const SequenceOutput& output) {
  std::vector<float> values = output.values;
  const std::span<float> all(values);
  for (size_t i = 0; i < values.size(); i += output.width) {
    Softmax(all.subspan(i, output.width));
  }
  return values;
}

// The sequence's own tokens, without the template's. `begin` tokens of the text
// come before the sequence.
std::vector<TaggedToken> Tokens(const TextIndex& text, const Encoding& encoding,
                                size_t begin,
                                std::span<const float> probabilities,
                                std::optional<int32_t> unk) {
  const size_t width = probabilities.size() / encoding.size();
  std::vector<TaggedToken> tokens;
  tokens.reserve(encoding.size());
  for (size_t i = 0; i < encoding.size(); ++i) {
    if (encoding.special_tokens_mask[i] != 0) continue;
    const Span span = encoding.offsets[i];
    tokens.push_back(
        {.scores = probabilities.subspan(i * width, width),
         .span = span,
         .is_subword = encoding.ids[i] != unk && IsSubword(text, span),
         .token_index = static_cast<uint32_t>(begin + i)});
  }
  return tokens;
}

// Each token from the window in which it stands farthest from an edge; the
// earlier window among equals.
std::vector<TaggedToken> CentralTokens(
    std::span<const std::vector<TaggedToken>> windows) {
  std::vector<TaggedToken> chosen;
  std::vector<size_t> distances;
  for (const std::vector<TaggedToken>& window : windows) {
    for (size_t i = 0; i < window.size(); ++i) {
      const size_t distance = std::min(i, window.size() - 1 - i);
      // The first text token has index 1; windows leave no token out.
      const size_t position = window[i].token_index - 1;
      if (position >= chosen.size()) {
        chosen.push_back(window[i]);
        distances.push_back(distance);
      } else if (distance > distances[position]) {
        chosen[position] = window[i];
        distances[position] = distance;
      }
    }
  }
  return chosen;
}

// Drops the spans whose label is among `ignored`.
void DropIgnored(std::span<const std::string> ignored,
                 std::vector<TaggedSpan>* spans) {
  std::erase_if(*spans, [&](const TaggedSpan& span) {
    return std::find(ignored.begin(), ignored.end(), span.label) !=
           ignored.end();
  });
}

std::vector<TaggedSpan> TagWindows(
    std::span<const std::vector<TaggedToken>> windows, Aggregation aggregation,
    std::span<const std::string> labels, std::span<const std::string> ignored) {
  std::vector<TaggedSpan> spans;
  if (aggregation == Aggregation::kNone) {
    spans = AggregateTags(CentralTokens(windows), aggregation, labels);
    DropIgnored(ignored, &spans);
    return spans;
  }
  for (const std::vector<TaggedToken>& window : windows) {
    std::vector<TaggedSpan> more = AggregateTags(window, aggregation, labels);
    DropIgnored(ignored, &more);
    std::move(more.begin(), more.end(), std::back_inserter(spans));
  }
  return windows.size() > 1 ? MergeOverlapping(std::move(spans)) : spans;
}

}  // namespace

absl::StatusOr<TagTokensTask> TagTokensTask::Create(Request request,
                                                    const TaskModel& model) {
  if (absl::Status s = CheckAnyInputs(request.inputs.size()); !s.ok()) return s;
  if (absl::Status s = CheckNotNegative(request.stride, "stride"); !s.ok()) {
    return s;
  }
  TagTokensTask task(std::move(request), model);
  absl::StatusOr<std::vector<SequencePlan>> plans =
      PlanTexts(*model.tokenizer, task.request_.inputs,
                {.policy = task.request_.length_policy,
                 .max_tokens = model.max_tokens,
                 .overlap = static_cast<size_t>(task.request_.stride)});
  if (!plans.ok()) return plans.status();
  for (SequencePlan& plan : *plans) {
    task.coverage_.push_back(plan.coverage);
    for (size_t w = 0; w < plan.encodings.size(); ++w) {
      Encoding& encoding = plan.encodings[w];
      task.sequences_.push_back(
          ToSequence(encoding, AllRows(encoding.size()), Readout::kHeadLogits));
      task.encodings_.push_back(std::move(encoding));
      task.begins_.push_back(plan.begins[w]);
    }
  }
  return task;
}

std::vector<Coverage> TagTokensTask::coverage() const { return coverage_; }

absl::StatusOr<std::vector<TagTokensResult>> TagTokensTask::Finish(
    std::span<const SequenceOutput> outputs) const {
  const std::span<const std::string> labels = model_.labels;
  if (absl::Status s = CheckOutputs(sequences_, outputs, labels.size());
      !s.ok()) {
    return s;
  }
  std::vector<std::string> ignored = request_.ignore_labels;
  if (ignored.empty()) ignored.emplace_back(model_.ignored_label);
  if (request_.keep_ignored) ignored.clear();
  std::vector<TagTokensResult> results;
  results.reserve(coverage_.size());
  size_t next = 0;
  for (size_t i = 0; i < coverage_.size(); ++i) {
    const TextIndex text(request_.inputs[i]);
    std::vector<std::vector<float>> probabilities;
    std::vector<std::vector<TaggedToken>> windows;
    for (size_t w = 0; w < coverage_[i].windows; ++w, ++next) {
      probabilities.push_back(Probabilities(outputs[next]));
      windows.push_back(Tokens(text, encodings_[next], begins_[next],
                               probabilities.back(),
                               model_.tokenizer->special_ids().unk));
    }
    TagTokensResult& result = results.emplace_back();
    for (TaggedSpan& span :
         TagWindows(windows, request_.aggregation, labels, ignored)) {
      TextLocation location = Locate(text, span.span, request_.offset_unit,
                                     /*trim=*/!request_.raw_offsets);
      result.entities.push_back({.label = std::move(span.label),
                                 .score = span.score,
                                 .text = std::move(location.text),
                                 .start = location.start,
                                 .end = location.end,
                                 .token_index = span.token_index});
    }
    result.coverage = coverage_[i];
  }
  return results;
}

}  // namespace deberta::server
