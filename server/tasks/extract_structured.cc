#include "server/tasks/extract_structured.h"

#include <algorithm>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "server/tasks/entities_request.h"
#include "server/tasks/shared/request_checks.h"
#include "server/tasks/shared/scores.h"
#include "server/tasks/shared/text_location.h"
#include "tokenizer/text/lower_case.h"
#include "tokenizer/text/unicode.h"

namespace deberta::server {
namespace {

std::string StructurePlace(size_t index) {
  return absl::StrCat("structures[", index, "]");
}
std::string RelationPlace(size_t index) {
  return absl::StrCat("relations[", index, "]");
}
std::string FieldPlace(size_t structure, size_t field) {
  return absl::StrCat(StructurePlace(structure), ".fields[", field, "]");
}

// Names of one list, none empty, none twice. Keeps where each stands.
class Names {
 public:
  absl::Status Add(std::string name, const std::string& place) {
    if (name.empty()) return InputError(place, "must not be empty");
    const auto [known, is_new] = places_.emplace(std::move(name), place);
    if (is_new) return absl::OkStatus();
    return InputError(place,
                      absl::StrCat("is that of ", known->second, " too"));
  }

 private:
  absl::flat_hash_map<std::string, std::string> places_;
};

absl::Status CheckOptionalThreshold(const std::optional<float>& threshold,
                                    const std::string& place) {
  if (!threshold.has_value()) return absl::OkStatus();
  return CheckThreshold(*threshold, place + ".threshold");
}

absl::Status CheckField(const StructureField& field, const std::string& place) {
  absl::Status status = CheckOptionalThreshold(field.threshold, place);
  Names choices;
  for (size_t i = 0; i < field.choices.size() && status.ok(); ++i) {
    const std::string& choice = field.choices[i];
    const std::string of = absl::StrCat(place, ".choices[", i, "]");
    if (tokenizer::FindInvalidUtf8(choice).has_value())
      return InputError(of, "expected UTF-8");
    // Case aside, the model could not tell them apart.
    status.Update(choices.Add(tokenizer::PythonLower(choice), of));
  }
  return status;
}

absl::Status CheckStructure(const StructureSchema& structure, size_t index) {
  if (structure.fields.empty()) {
    return InputError(StructurePlace(index) + ".fields",
                      "the list is empty, expected at least one field");
  }
  Names fields;
  for (size_t i = 0; i < structure.fields.size(); ++i) {
    const std::string place = FieldPlace(index, i);
    absl::Status status = fields.Add(structure.fields[i].name, place + ".name");
    status.Update(CheckField(structure.fields[i], place));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckRequest(const ExtractStructuredRequest& request) {
  absl::Status status = CheckAnyInputs(request.inputs.size());
  status.Update(CheckNotNegative(request.stride, "stride"));
  status.Update(CheckThreshold(request.threshold, "threshold"));
  if (request.structures.empty() && request.relations.empty()) {
    status.Update(InputError(
        "structures", "expected at least one structure, or one relation"));
  }
  Names names;
  for (size_t i = 0; i < request.structures.size() && status.ok(); ++i) {
    status.Update(
        names.Add(request.structures[i].name, StructurePlace(i) + ".name"));
    status.Update(CheckStructure(request.structures[i], i));
  }
  for (size_t i = 0; i < request.relations.size() && status.ok(); ++i) {
    const std::string place = RelationPlace(i);
    status.Update(names.Add(request.relations[i].name, place + ".name"));
    status.Update(
        CheckOptionalThreshold(request.relations[i].threshold, place));
  }
  return status;
}

GroupText GroupOf(const StructureSchema& structure, size_t index) {
  GroupText group = {.kind = GroupKind::kStructure,
                     .name = {structure.name, StructurePlace(index) + ".name"}};
  for (size_t i = 0; i < structure.fields.size(); ++i) {
    const StructureField& field = structure.fields[i];
    const std::string place = FieldPlace(index, i);
    GroupField& of = group.fields.emplace_back();
    of.name = {field.name, place + ".name"};
    of.description = {field.description, place + ".description"};
    for (size_t c = 0; c < field.choices.size(); ++c) {
      of.choices.push_back(
          {field.choices[c], absl::StrCat(place, ".choices[", c, "]")});
    }
  }
  return group;
}

GroupText GroupOf(const RelationSchema& relation, size_t index) {
  const std::string place = RelationPlace(index);
  return {.kind = GroupKind::kRelation,
          .name = {relation.name, place + ".name"},
          .description = {relation.description, place + ".description"},
          .fields = {{.name = {"head", place}}, {.name = {"tail", place}}}};
}

absl::StatusOr<GroupPrompt> PromptOf(const ExtractStructuredRequest& request,
                                     const TaskModel& model) {
  std::vector<GroupText> groups;
  for (size_t i = 0; i < request.structures.size(); ++i)
    groups.push_back(GroupOf(request.structures[i], i));
  for (size_t i = 0; i < request.relations.size(); ++i)
    groups.push_back(GroupOf(request.relations[i], i));
  return MakeGroupPrompt(
      groups, *model.tokenizer,
      request.structures.empty() ? "relations" : "structures");
}

std::vector<std::vector<float>> ThresholdsOf(
    const ExtractStructuredRequest& request) {
  std::vector<std::vector<float>> thresholds;
  for (const StructureSchema& structure : request.structures) {
    std::vector<float>& of = thresholds.emplace_back();
    for (const StructureField& field : structure.fields)
      of.push_back(field.threshold.value_or(request.threshold));
  }
  for (const RelationSchema& relation : request.relations) {
    const float threshold = relation.threshold.value_or(request.threshold);
    thresholds.push_back({threshold, threshold});
  }
  return thresholds;
}

// The same for instances that have the same values, whatever they score.
std::string KeyOf(size_t group,
                  const std::vector<std::vector<StructuredValue>>& values) {
  std::string key = absl::StrCat(group);
  for (const std::vector<StructuredValue>& field : values) {
    absl::StrAppend(&key, ";");
    for (const StructuredValue& value : field) {
      if (value.place.has_value()) {
        absl::StrAppend(&key, value.place->start, "-", value.place->end, ",");
      } else {
        absl::StrAppend(&key, value.text.size(), ":", value.text, ",");
      }
    }
  }
  return key;
}

}  // namespace

ExtractStructuredTask::ExtractStructuredTask(Request request,
                                             const TaskModel& model,
                                             GroupPrompt prompt)
    : GroupTask(model, std::move(prompt),
                request.structures.empty() ? "relations" : "structures"),
      request_(std::move(request)),
      thresholds_(ThresholdsOf(request_)) {}

absl::StatusOr<ExtractStructuredTask> ExtractStructuredTask::Create(
    Request request, const TaskModel& model) {
  if (!ReadsGroups(model)) {
    return absl::FailedPreconditionError(
        "the model has no head that reads schemas of the caller's");
  }
  if (absl::Status s = CheckRequest(request); !s.ok()) return s;
  absl::StatusOr<GroupPrompt> prompt = PromptOf(request, model);
  if (!prompt.ok()) return prompt.status();
  std::vector<std::string> inputs = std::move(request.inputs);
  const Rule rule = {.policy = request.length_policy, .stride = request.stride};
  ExtractStructuredTask task(std::move(request), model, *std::move(prompt));
  if (absl::Status s = task.AddInputs(std::move(inputs), rule); !s.ok())
    return s;
  return task;
}

std::vector<StructuredValue> ExtractStructuredTask::Chosen(
    size_t group, size_t field, std::span<const float> instance) const {
  const StructureField& of = request_.structures[group].fields[field];
  const size_t labels = request_.structures[group].fields.size();
  const size_t row = model().label_head->max_span_words * labels;
  const float threshold = thresholds_[group][field];
  std::vector<StructuredValue> values;
  for (size_t i = 0; i < of.choices.size(); ++i) {
    // The score of the choice's word alone.
    const float score =
        Sigmoid(instance[prompt().choices[group][field][i] * row + field]);
    if (score < threshold) continue;
    if (of.single && !values.empty()) {
      if (score <= values.front().score) continue;
      values.clear();
    }
    values.push_back({.text = of.choices[i], .score = score});
  }
  return values;
}

absl::StatusOr<std::vector<std::vector<StructuredValue>>>
ExtractStructuredTask::ValuesOf(const Part& part, size_t group,
                                std::span<const float> instance) const {
  const std::vector<float>& thresholds = thresholds_[group];
  const bool structure = group < request_.structures.size();
  SpanCandidates candidates(
      {.kind = model::LabelHeadKind::kSpans,
       .max_span_words = model().label_head->max_span_words,
       .thresholds = thresholds,
       .inclusive = true});
  absl::Status added =
      candidates.Add(part.begin, part.end - part.begin + part.dots,
                     TextOf(instance, thresholds.size()), part.dots);
  if (absl::IsOutOfRange(added)) return TooManyCandidates(part.input);
  if (!added.ok()) return added;
  std::vector<EntitySpan> spans =
      ChooseSpans(candidates.Take(), {.labels_apart = true});
  std::ranges::stable_sort(spans, std::greater(), &EntitySpan::score);
  std::vector<std::vector<StructuredValue>> values(thresholds.size());
  const std::vector<tokenizer::Span>& words = texts()[part.input].words;
  for (const EntitySpan& span : spans) {
    const StructureField* field =
        structure ? &request_.structures[group].fields[span.label] : nullptr;
    if (field != nullptr && !field->choices.empty()) continue;
    const bool single = field == nullptr || field->single;
    if (single && !values[span.label].empty()) continue;
    TextLocation location =
        Locate(*places_, {words[span.first].start, words[span.last].end},
               request_.offset_unit, /*trim=*/false);
    values[span.label].push_back(
        {.text = std::move(location.text),
         .score = span.score,
         .place = StructuredValue::Place{location.start, location.end}});
  }
  if (!structure) return values;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!request_.structures[group].fields[i].choices.empty())
      values[i] = Chosen(group, i, instance);
  }
  return values;
}

absl::Status ExtractStructuredTask::Keep(
    const Part& part, size_t group,
    std::vector<std::vector<StructuredValue>> values) {
  const bool structure = group < request_.structures.size();
  const auto has_value = [](const auto& field) { return !field.empty(); };
  if (structure ? std::ranges::none_of(values, has_value)
                : !std::ranges::all_of(values, has_value)) {
    return absl::OkStatus();
  }
  if (texts()[part.input].plan.windows.size() > 1 &&
      !seen_.insert(KeyOf(group, values)).second) {
    return absl::OkStatus();
  }
  if (structure) return KeepStructure(part, group, std::move(values));
  const size_t schema = group - request_.structures.size();
  ExtractedRelation relation = {.name = request_.relations[schema].name,
                                .schema = schema,
                                .head = std::move(values[0].front()),
                                .tail = std::move(values[1].front())};
  const size_t bytes = 3 * kPieceBytes + relation.name.size() +
                       relation.head.text.size() + relation.tail.text.size();
  result_.relations.push_back(std::move(relation));
  return answer().Add(bytes, InputField(part.input));
}

absl::Status ExtractStructuredTask::KeepStructure(
    const Part& part, size_t index,
    std::vector<std::vector<StructuredValue>> values) {
  const StructureSchema& schema = request_.structures[index];
  ExtractedStructure structure = {.name = schema.name, .schema = index};
  size_t bytes = kPieceBytes + schema.name.size();
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string& name = schema.fields[i].name;
    bytes += kPieceBytes + name.size();
    for (const StructuredValue& value : values[i])
      bytes += kPieceBytes + value.text.size();
    structure.fields.push_back({.name = name, .values = std::move(values[i])});
  }
  result_.structures.push_back(std::move(structure));
  return answer().Add(bytes, InputField(part.input));
}

absl::Status ExtractStructuredTask::Take(const Part& part) {
  if (!places_.has_value()) places_.emplace(input(part.input));
  for (size_t group = 0; group < part.groups.size(); ++group) {
    for (const std::span<const float> instance : part.groups[group].instances) {
      auto values = ValuesOf(part, group, instance);
      if (!values.ok()) return values.status();
      if (absl::Status s = Keep(part, group, *std::move(values)); !s.ok())
        return s;
    }
  }
  return absl::OkStatus();
}

absl::Status ExtractStructuredTask::GiveResult(size_t index) {
  Result result = std::exchange(result_, {});
  std::ranges::stable_sort(result.structures, std::less(),
                           &ExtractedStructure::schema);
  std::ranges::stable_sort(result.relations, std::less(),
                           &ExtractedRelation::schema);
  result.coverage = texts()[index].plan.coverage;
  results_.push_back(std::move(result));
  seen_.clear();
  places_.reset();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ExtractStructuredResult>>
ExtractStructuredTask::Finish() {
  if (absl::Status s = CheckComplete(); !s.ok()) return s;
  return TakeResults();
}

}  // namespace deberta::server
