#include "server/tasks/entity_groups.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace deberta::server {
namespace {

absl::StatusOr<GroupPrompt> PromptOf(const ExtractEntitiesRequest& request,
                                     const TaskModel& model) {
  if (absl::Status s = CheckLabelNames(request.labels); !s.ok()) return s;
  GroupText group = {.kind = GroupKind::kEntities,
                     .name = {.text = "entities", .field = "labels"}};
  for (size_t i = 0; i < request.labels.size(); ++i) {
    const EntityLabel& label = request.labels[i];
    const std::string field = absl::StrCat("labels[", i, "].");
    group.fields.push_back(
        {.name = {label.name, field + "name"},
         .description = {label.description, field + "description"}});
  }
  return MakeGroupPrompt({&group, 1}, *model.tokenizer, "labels");
}

}  // namespace

EntityGroupsTask::EntityGroupsTask(Request request, const TaskModel& model,
                                   GroupPrompt prompt)
    : GroupTask(model, std::move(prompt), "labels"),
      request_(std::move(request)),
      candidates_({.kind = model::LabelHeadKind::kSpans,
                   .max_span_words = model.label_head->max_span_words,
                   .thresholds = Thresholds(request_),
                   .keep_scores = request_.top_k > 0,
                   .inclusive = true}) {}

absl::StatusOr<EntityGroupsTask> EntityGroupsTask::Create(
    Request request, const TaskModel& model) {
  if (absl::Status s = CheckEntitiesRequest(request); !s.ok()) return s;
  absl::StatusOr<GroupPrompt> prompt = PromptOf(request, model);
  if (!prompt.ok()) return prompt.status();
  std::vector<std::string> inputs = std::move(request.inputs);
  const Rule rule = {.policy = request.length_policy, .stride = request.stride};
  EntityGroupsTask task(std::move(request), model, *std::move(prompt));
  if (absl::Status s = task.AddInputs(std::move(inputs), rule); !s.ok())
    return s;
  return task;
}

absl::Status EntityGroupsTask::Take(const Part& part) {
  const size_t labels = request_.labels.size();
  for (const std::span<const float> instance : part.groups[0].instances) {
    absl::Status added =
        candidates_.Add(part.begin, part.end - part.begin + part.dots,
                        TextOf(instance, labels), part.dots);
    if (absl::IsOutOfRange(added)) return TooManyCandidates(part.input);
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

absl::Status EntityGroupsTask::GiveResult(size_t index) {
  const WordTexts::Text& text = texts()[index];
  // Whatever is asked of several labels: they do not compete.
  const OverlapRule rule = {.nested = request_.overlap.nested,
                            .labels_apart = true};
  absl::StatusOr<std::vector<ExtractedEntity>> entities = TakeEntities(
      request_, input(index), index, text.words, rule, candidates_, answer());
  if (!entities.ok()) return entities.status();
  results_.push_back(
      {.entities = *std::move(entities), .coverage = text.plan.coverage});
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ExtractEntitiesResult>> EntityGroupsTask::Finish() {
  if (absl::Status s = CheckComplete(); !s.ok()) return s;
  return TakeResults();
}

}  // namespace deberta::server
