#include "server/tasks/class_groups.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace deberta::server {
namespace {

// What the labels say of the text, where the request does not tell.
constexpr std::string_view kTask = "category";

absl::StatusOr<GroupPrompt> PromptOf(const ZeroShotRequest& request,
                                     const TaskModel& model) {
  GroupText group = {.kind = GroupKind::kClasses,
                     .name = {.text = request.prompt.empty()
                                          ? kTask
                                          : std::string_view(request.prompt),
                              .field = "prompt"}};
  for (size_t i = 0; i < request.labels.size(); ++i)
    group.fields.push_back(
        {.name = {request.labels[i], ZeroShotLabelField(i)}});
  return MakeGroupPrompt({&group, 1}, *model.tokenizer, "labels");
}

}  // namespace

absl::StatusOr<ClassGroupsTask> ClassGroupsTask::Create(
    Request request, const TaskModel& model) {
  if (absl::Status s = CheckZeroShotRequest(request); !s.ok()) return s;
  if (!request.hypothesis_template.empty()) {
    return InputError("hypothesis_template",
                      "expected none: the model reads labels as they are; "
                      "\"prompt\" can say what they are of");
  }
  absl::StatusOr<GroupPrompt> prompt = PromptOf(request, model);
  if (!prompt.ok()) return prompt.status();
  std::vector<std::string> inputs = std::move(request.inputs);
  const Rule rule = {.policy = request.length_policy,
                     .stride = request.stride,
                     .reads_blank = true};
  ClassGroupsTask task(std::move(request), model, *std::move(prompt));
  const size_t bytes = ZeroShotAnswerBytes(task.request_);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (absl::Status s = task.answer().Add(bytes, "labels"); !s.ok()) return s;
  }
  if (absl::Status s = task.AddInputs(std::move(inputs), rule); !s.ok())
    return s;
  return task;
}

absl::Status ClassGroupsTask::Take(const Part& part) {
  mean_.Add(part.groups[0].classes);
  return absl::OkStatus();
}

absl::Status ClassGroupsTask::GiveResult(size_t index) {
  std::vector<float> scores = mean_.Take();
  if (request_.multi_label) {
    std::ranges::transform(scores, scores.begin(), Sigmoid);
  } else {
    Softmax(scores);
  }
  results_.push_back(
      MakeZeroShotResult(request_, scores, texts()[index].plan.coverage));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ZeroShotResult>> ClassGroupsTask::Finish() {
  if (absl::Status s = CheckComplete(); !s.ok()) return s;
  return TakeResults();
}

}  // namespace deberta::server
