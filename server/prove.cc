#include "server/prove.h"

#include <cmath>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/clock.h"
#include "server/batching/task_run.h"
#include "server/tasks/answer_question.h"
#include "server/tasks/classify.h"
#include "server/tasks/extract_entities.h"
#include "server/tasks/fill_mask.h"
#include "server/tasks/tag_tokens.h"
#include "server/tasks/zero_shot.h"

namespace deberta::server {
namespace {

// The best answer to a proof's input.
struct Best {
  std::string label = {};
  double score = 0;
};

// Runs the request, and gives what `read` makes of the only input's result.
template <typename T, typename Read>
absl::StatusOr<Best> Ask(typename T::Request request, const ServedModel& model,
                         Scheduler& scheduler, absl::Time deadline, Read read) {
  absl::StatusOr<T> task = T::Create(std::move(request), model.task_model);
  if (!task.ok()) return task.status();
  std::promise<absl::Status> done;
  TaskRun<T> run(*std::move(task),
                 typename TaskRun<T>::Options{
                     .submit =
                         [&](Job job) {
                           return scheduler.Submit(model.queue, std::move(job));
                         },
                     .limits = {.tokens = scheduler.round_tokens()},
                     .deadline = deadline,
                     .cancelled = [] { return false; }});
  absl::Status status =
      run.Start([&](const absl::Status& end) { done.set_value(end); });
  if (status.ok()) status = done.get_future().get();
  if (!status.ok()) return status;
  auto results = run.task().Finish();
  if (!results.ok()) return results.status();
  return results->empty() ? Best() : read(results->front());
}

template <typename Scores>
Best BestOf(const Scores& scores) {
  if (scores.empty()) return {};
  return {.label = scores.front().label, .score = scores.front().score};
}

std::vector<EntityLabel> LabelsNamed(const std::vector<std::string>& names) {
  std::vector<EntityLabel> labels;
  for (const std::string& name : names) labels.push_back({.name = name});
  return labels;
}

absl::StatusOr<Best> AskProof(const Proof& proof, const ServedModel& model,
                              Scheduler& scheduler, absl::Time deadline) {
  const TextInput& input = proof.input;
  switch (proof.task) {
    case TaskKind::kTagTokens:
      return Ask<TagTokensTask>(
          {.inputs = {input.text}}, model, scheduler, deadline,
          [](const TagTokensResult& r) { return BestOf(r.entities); });
    case TaskKind::kAnswerQuestion:
      return Ask<AnswerQuestionTask>(
          {.inputs = {{.question = input.text_pair, .context = input.text}}},
          model, scheduler, deadline, [](const AnswerQuestionResult& r) {
            if (r.answers.empty()) return Best();
            return Best{r.answers.front().text, r.answers.front().score};
          });
    case TaskKind::kFillMask:
      return Ask<FillMaskTask>(
          {.inputs = {input.text}}, model, scheduler, deadline,
          [](const FillMaskResult& r) {
            if (r.masks.empty() || r.masks.front().candidates.empty())
              return Best();
            const MaskCandidate& first = r.masks.front().candidates.front();
            return Best{first.token, first.score};
          });
    case TaskKind::kZeroShot:
      return Ask<ZeroShotTask>(
          {.inputs = {input.text}, .labels = proof.labels}, model, scheduler,
          deadline, [](const ZeroShotResult& r) { return BestOf(r.labels); });
    case TaskKind::kExtractEntities:
      return Ask<ExtractEntitiesTask>(
          {.inputs = {input.text}, .labels = LabelsNamed(proof.labels)}, model,
          scheduler, deadline,
          [](const ExtractEntitiesResult& r) { return BestOf(r.entities); });
    default:
      return Ask<ClassifyTask>(
          {.inputs = {input}}, model, scheduler, deadline,
          [](const ClassifyResult& r) { return BestOf(r.labels); });
  }
}

absl::Status Check(const Proof& proof, const Best& best) {
  if (best.label != proof.label) {
    return absl::FailedPreconditionError(absl::StrCat(
        "expected \"", proof.label, "\", got \"", best.label, "\""));
  }
  if (!proof.score.has_value()) return absl::OkStatus();
  // Also of a score that is no number.
  if (std::abs(best.score - *proof.score) <= proof.tolerance)
    return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "expected \"", proof.label, "\" with a score of ", *proof.score, " +- ",
      proof.tolerance, ", got ", best.score));
}

}  // namespace

absl::Status Prove(const ServedModel& model, Scheduler& scheduler,
                   absl::Duration limit) {
  for (size_t i = 0; i < model.proofs.size(); ++i) {
    const Proof& proof = model.proofs[i];
    const absl::StatusOr<Best> best =
        AskProof(proof, model, scheduler, SteadyNow() + limit);
    const absl::Status status = best.ok() ? Check(proof, *best) : best.status();
    if (status.ok()) continue;
    return absl::Status(status.code(),
                        absl::StrCat("deberta.json: proofs[", i, "] (",
                                     std::string(TaskName(proof.task)),
                                     "): ", status.message()));
  }
  return absl::OkStatus();
}

}  // namespace deberta::server
