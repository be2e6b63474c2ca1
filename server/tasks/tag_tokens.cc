#include "server/tasks/tag_tokens.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "server/tasks/shared/request_checks.h"
#include "server/tasks/shared/scores.h"
#include "server/tasks/shared/text_location.h"
#include "tokenizer/text/unicode.h"

namespace deberta::server {
namespace {

using tokenizer::Encoding;
using tokenizer::Span;
using tokenizer::TextIndex;

// The reference's word test. Without marks: not at the start, and no space just
// before the token or as its first character.
bool IsSubword(const TextIndex& text, Span span, int32_t id,
               const tokenizer::Tokenizer& tokenizer) {
  switch (tokenizer.word_start()) {
    case tokenizer::WordStart::kEvery:
      return false;
    case tokenizer::WordStart::kUnmarked:
      return id != tokenizer.special_ids().unk &&
             tokenizer::CountCodePoints(tokenizer.IdToToken(id)) !=
                 span.end - span.start;
    case tokenizer::WordStart::kSpace:
      break;
  }
  if (id == tokenizer.special_ids().unk || span.start == 0) return false;
  const uint32_t end = std::min(span.start + 1, text.code_points());
  return text.Text({span.start - 1, end}).find(' ') == std::string_view::npos;
}

// Probabilities of one sequence, [rows, labels].
std::vector<float> Probabilities(SequenceOutput output) {
  std::vector<float> values = std::move(output.values);
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
                                const tokenizer::Tokenizer& tokenizer) {
  const size_t width = probabilities.size() / encoding.size();
  std::vector<TaggedToken> tokens;
  tokens.reserve(encoding.size());
  for (size_t i = 0; i < encoding.size(); ++i) {
    if (encoding.special_tokens_mask[i] != 0) continue;
    const Span span = encoding.offsets[i];
    tokens.push_back(
        {.scores = probabilities.subspan(i * width, width),
         .span = span,
         .is_subword = IsSubword(text, span, encoding.ids[i], tokenizer),
         .token_index = static_cast<uint32_t>(begin + i)});
  }
  return tokens;
}

// Drops the spans whose label is among `ignored`.
void DropIgnored(std::span<const std::string> ignored,
                 std::vector<TaggedSpan>* spans) {
  std::erase_if(*spans, [&](const TaggedSpan& span) {
    return std::find(ignored.begin(), ignored.end(), span.label) !=
           ignored.end();
  });
}

// Of each token and those after it, the least start.
std::vector<uint32_t> LeastStarts(std::span<const Span> offsets) {
  std::vector<uint32_t> least(offsets.size());
  uint32_t so_far = std::numeric_limits<uint32_t>::max();
  for (size_t i = offsets.size(); i-- > 0;) {
    so_far = std::min(so_far, offsets[i].start);
    least[i] = so_far;
  }
  return least;
}

}  // namespace

absl::StatusOr<TagTokensTask> TagTokensTask::Create(Request request,
                                                    const TaskModel& model) {
  if (absl::Status s = CheckAnyInputs(request.inputs.size()); !s.ok()) return s;
  if (absl::Status s = CheckNotNegative(request.stride, "stride"); !s.ok()) {
    return s;
  }
  TagTokensTask task(std::move(request), model);
  if (absl::Status s = task.AddTexts(
          task.request().inputs,
          {.policy = task.request().length_policy,
           .max_tokens = model.max_tokens,
           .overlap = static_cast<size_t>(task.request().stride)});
      !s.ok()) {
    return s;
  }
  return task;
}

TagTokensTask::TagTokensTask(Request request, const TaskModel& model)
    : RequestTask(std::move(request), model, model.labels.size()),
      ignored_(this->request().ignore_labels),
      // The reference's windows come from the end where truncation is on the
      // left.
      merger_(/*later_first=*/model.tokenizer->truncation_side() ==
              tokenizer::Side::kLeft) {
  if (ignored_.empty()) ignored_.emplace_back(model.ignored_label);
  if (this->request().keep_ignored) ignored_.clear();
}

SequenceInput TagTokensTask::Reading(size_t, const Encoding& encoding) const {
  return ToSequence(encoding, AllRows(encoding.size()), Readout::kHeadLogits);
}

absl::Status TagTokensTask::Take(const Part& part, SequenceOutput output) {
  if (!text_.has_value()) StartInput(part);
  const std::vector<float> probabilities = Probabilities(std::move(output));
  std::vector<TaggedSpan> spans =
      AggregateTags(Tokens(*text_, part.encoding, part.begin, probabilities,
                           *model().tokenizer),
                    request().aggregation, model().labels);
  const bool one_window = coverage(part.input).windows == 1;
  if (request().aggregation == Aggregation::kNone) {
    spans = central_.Add(std::move(spans), part.begin, part.next_begin);
  }
  DropIgnored(ignored_, &spans);
  if (request().aggregation != Aggregation::kNone && !one_window) {
    std::optional<uint32_t> next_start;
    if (part.next_begin.has_value()) {
      next_start = least_starts_[*part.next_begin];
    }
    spans = merger_.Add(std::move(spans), next_start);
  }
  if (absl::Status s = AddEntities(std::move(spans), part.input); !s.ok()) {
    return s;
  }
  if (part.ends_input) {
    AddResult(std::exchange(result_, {}));
    text_.reset();
  }
  return absl::OkStatus();
}

void TagTokensTask::StartInput(const Part& part) {
  result_.coverage = coverage(part.input);
  text_.emplace(request().inputs[part.input]);
  least_starts_.clear();
  if (part.next_begin.has_value()) {
    least_starts_ = LeastStarts(part.first.offsets);
  }
}

absl::Status TagTokensTask::AddEntities(std::vector<TaggedSpan> spans,
                                        size_t input) {
  for (TaggedSpan& span : spans) {
    TextLocation location = Locate(*text_, span.span, request().offset_unit,
                                   /*trim=*/!request().raw_offsets);
    if (absl::Status s =
            AddToAnswer(kPieceBytes + span.label.size() + location.text.size(),
                        InputField(input));
        !s.ok()) {
      return s;
    }
    result_.entities.push_back({.label = std::move(span.label),
                                .score = span.score,
                                .text = std::move(location.text),
                                .start = location.start,
                                .end = location.end,
                                .token_index = span.token_index});
  }
  return absl::OkStatus();
}

}  // namespace deberta::server
