#include "server/tasks/fill_mask.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/shared/request_checks.h"

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

  const size_t choices = targets->empty()
                             ? static_cast<size_t>(model.config->vocab_size)
                             : targets->size();
  const size_t candidates = std::min(OrDefault(request.top_k), choices);
  FillMaskTask task(std::move(request),
                    {.count = candidates, .among = *std::move(targets)}, model);
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

FillMaskTask::FillMaskTask(Request request, BestColumns best,
                           const TaskModel& model)
    : RequestTask(std::move(request), model, best.count),
      best_(std::make_shared<const BestColumns>(std::move(best))) {}

absl::Status FillMaskTask::CheckMasks() {
  for (size_t i = 0; i < inputs(); ++i) {
    const SequenceInput sequence = Reading(i, Plan(i, 0).Encode(0));
    if (sequence.rows.empty()) {
      return InputError(InputField(i),
                        coverage(i).truncated
                            ? "has no mask token among those that fit"
                            : "has no mask token");
    }
    if (absl::Status s =
            AddToAnswer(sequence.rows.size() * best_->count *
                            (kPieceBytes + sequence.ids.size() * kTokenBytes),
                        "top_k");
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

SequenceInput FillMaskTask::Reading(size_t,
                                    const tokenizer::Encoding& encoding) const {
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < encoding.size(); ++row) {
    if (encoding.ids[row] == *model().tokenizer->special_ids().mask) {
      rows.push_back(row);
    }
  }
  SequenceInput sequence =
      ToSequence(encoding, std::move(rows), Readout::kHeadLogits);
  sequence.best = best_;
  return sequence;
}

MaskPrediction FillMaskTask::Predict(const SequenceInput& sequence,
                                     uint32_t row, std::span<const int32_t> ids,
                                     std::span<const float> scores) const {
  const tokenizer::Tokenizer& tokenizer = *model().tokenizer;
  // The other masks of a text are shown, and so all special tokens are.
  const bool skip_special_tokens = sequence.rows.size() == 1;
  MaskPrediction prediction;
  prediction.token_index = row;
  for (size_t i = 0; i < ids.size(); ++i) {
    std::vector<int32_t> filled = sequence.ids;
    filled[row] = ids[i];
    std::erase(filled, tokenizer.special_ids().pad);
    prediction.candidates.push_back(
        {.token_id = ids[i],
         .token = tokenizer.Decode(ids.subspan(i, 1),
                                   /*skip_special_tokens=*/false),
         .score = scores[i],
         .sequence = tokenizer.Decode(filled, skip_special_tokens)});
  }
  return prediction;
}

absl::Status FillMaskTask::Take(const Part& part, SequenceOutput output) {
  for (const int32_t id : output.columns) {
    if (id >= 0 && id < model().config->vocab_size) continue;
    return absl::InternalError(absl::StrCat("the model's output names column ",
                                            id, " of ",
                                            model().config->vocab_size));
  }
  const size_t count = output.width;
  Result result;
  for (size_t m = 0; m < part.sequence.rows.size(); ++m) {
    result.masks.push_back(
        Predict(part.sequence, part.sequence.rows[m],
                std::span(output.columns).subspan(m * count, count),
                std::span(output.values).subspan(m * count, count)));
  }
  result.coverage = coverage(part.input);
  AddResult(std::move(result));
  return absl::OkStatus();
}

}  // namespace deberta::server
