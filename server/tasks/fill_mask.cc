#include "server/tasks/fill_mask.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/shared/request_checks.h"
#include "server/tasks/shared/scores.h"

namespace deberta::server {
namespace {

constexpr size_t kDefaultTopK = 5;
constexpr std::string_view kGenericMask = "[MASK]";

// Bytes of text of a token, about; a candidate carries its whole text.
constexpr size_t kTokenBytes = 8;

size_t OrDefault(int64_t top_k) {
  return top_k == 0 ? kDefaultTopK : static_cast<size_t>(top_k);
}

// `text` with the generic mask in the model's own spelling.
std::string WithOwnMask(std::string_view text, std::string_view mask) {
  if (mask == kGenericMask) return std::string(text);
  std::string out;
  size_t position = 0;
  for (size_t hit;
       (hit = text.find(kGenericMask, position)) != std::string_view::npos;
       position = hit + kGenericMask.size()) {
    out.append(text.substr(position, hit - position)).append(mask);
  }
  return out.append(text.substr(position));
}

// Ids of the targets: an exact vocabulary string, else the token that is left
// of the text when it is truncated to one. Targets without a token are left
// out. Ascending, distinct.
absl::StatusOr<std::vector<int32_t>> TargetIds(
    std::span<const std::string> targets, const TaskModel& model) {
  const bool last =
      model.tokenizer->truncation_side() == tokenizer::Side::kLeft;
  std::vector<int32_t> ids;
  for (size_t i = 0; i < targets.size(); ++i) {
    std::optional<int32_t> id = model.tokenizer->TokenToId(targets[i]);
    if (!id.has_value()) {
      const absl::StatusOr<tokenizer::TokenSequence> tokens =
          TokenizeOptionalField(*model.tokenizer, targets[i],
                                absl::StrCat("targets[", i, "]"));
      if (!tokens.ok()) return tokens.status();
      if (tokens->ids.empty()) continue;
      id = last ? tokens->ids.back() : tokens->ids.front();
    }
    if (*id < model.config->vocab_size) ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (ids.empty() && !targets.empty()) {
    return InputError("targets", "none of them has a token in the vocabulary");
  }
  return ids;
}

// The candidates of one mask are the `count` likeliest of `targets`, or of all
// ids if there are none. `logits` is over the whole vocabulary.
std::vector<std::pair<int32_t, float>> BestTokens(
    std::span<const float> logits, std::span<const int32_t> targets,
    size_t count) {
  std::vector<float> scores(logits.begin(), logits.end());
  Softmax(scores);
  if (!targets.empty()) {
    std::vector<float> chosen;
    for (const int32_t id : targets) {
      chosen.push_back(scores[static_cast<size_t>(id)]);
    }
    scores = std::move(chosen);
  }
  std::vector<std::pair<int32_t, float>> best;
  for (const uint32_t index : TopIndices(scores, count)) {
    best.emplace_back(
        targets.empty() ? static_cast<int32_t>(index) : targets[index],
        scores[index]);
  }
  return best;
}

}  // namespace

absl::StatusOr<FillMaskTask> FillMaskTask::Create(Request request,
                                                  const TaskModel& model) {
  const std::optional<int32_t> mask = model.tokenizer->special_ids().mask;
  if (!mask.has_value()) {
    return absl::FailedPreconditionError(
        "the model's tokenizer has no mask token");
  }
  if (absl::Status s = CheckAnyInputs(request.inputs.size()); !s.ok()) return s;
  if (absl::Status s = CheckNotNegative(request.top_k, "top_k"); !s.ok()) {
    return s;
  }
  if (absl::Status s = CheckNoWindows(request.length_policy, "FillMask");
      !s.ok()) {
    return s;
  }
  absl::StatusOr<std::vector<int32_t>> targets =
      TargetIds(request.targets, model);
  if (!targets.ok()) return targets.status();

  FillMaskTask task(std::move(request), model);
  task.target_ids_ = *std::move(targets);
  const size_t choices = task.target_ids_.empty()
                             ? static_cast<size_t>(model.config->vocab_size)
                             : task.target_ids_.size();
  task.candidates_ = std::min(OrDefault(task.request().top_k), choices);
  std::vector<std::string> texts;
  for (const std::string& text : task.request().inputs) {
    texts.push_back(WithOwnMask(text, model.tokenizer->IdToToken(*mask)));
  }
  if (absl::Status s =
          task.AddTexts(texts, {.policy = task.request().length_policy,
                                .max_tokens = model.max_tokens});
      !s.ok()) {
    return s;
  }
  if (absl::Status s = task.CheckMasks(); !s.ok()) return s;
  return task;
}

FillMaskTask::FillMaskTask(Request request, const TaskModel& model)
    : RequestTask(std::move(request), model,
                  static_cast<size_t>(model.config->vocab_size)) {}

absl::Status FillMaskTask::CheckMasks() {
  for (size_t i = 0; i < inputs(); ++i) {
    const SequenceInput sequence = Reading(Plan(i, 0).Encode(0));
    if (sequence.rows.empty()) {
      return InputError(InputField(i),
                        coverage(i).truncated
                            ? "has no mask token among those that fit"
                            : "has no mask token");
    }
    if (absl::Status s =
            AddToAnswer(sequence.rows.size() * candidates_ *
                            (kPieceBytes + sequence.ids.size() * kTokenBytes),
                        "top_k");
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

SequenceInput FillMaskTask::Reading(const tokenizer::Encoding& encoding) const {
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < encoding.size(); ++row) {
    if (encoding.ids[row] == *model().tokenizer->special_ids().mask) {
      rows.push_back(row);
    }
  }
  return ToSequence(encoding, std::move(rows), Readout::kHeadLogits);
}

MaskPrediction FillMaskTask::Predict(const SequenceInput& sequence,
                                     uint32_t row,
                                     std::span<const float> logits) const {
  const tokenizer::Tokenizer& tokenizer = *model().tokenizer;
  // The other masks of a text are shown, and so all special tokens are.
  const bool skip_special_tokens = sequence.rows.size() == 1;
  MaskPrediction prediction;
  prediction.token_index = row;
  for (const auto& [id, score] : BestTokens(logits, target_ids_, candidates_)) {
    std::vector<int32_t> ids = sequence.ids;
    ids[row] = id;
    std::erase(ids, tokenizer.special_ids().pad);
    prediction.candidates.push_back(
        {.token_id = id,
         .token = tokenizer.Decode(std::span(&id, 1),
                                   /*skip_special_tokens=*/false),
         .score = score,
         .sequence = tokenizer.Decode(ids, skip_special_tokens)});
  }
  return prediction;
}

absl::Status FillMaskTask::Take(const Part& part, SequenceOutput output) {
  const std::span<const float> values(output.values);
  Result result;
  for (size_t m = 0; m < part.sequence.rows.size(); ++m) {
    result.masks.push_back(
        Predict(part.sequence, part.sequence.rows[m],
                values.subspan(m * output.width, output.width)));
  }
  result.coverage = coverage(part.input);
  AddResult(std::move(result));
  return absl::OkStatus();
}

}  // namespace deberta::server
