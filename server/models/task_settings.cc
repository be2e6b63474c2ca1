#include "server/models/task_settings.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/models/sequence_limit.h"

namespace deberta::server {
namespace {

// Columns of one set of labels: those of several stand for different things.
absl::StatusOr<std::optional<size_t>> EntailmentOf(
    const ModelSettings& settings, const model::Model& model) {
  const std::vector<std::string>& labels = model.labels();
  const bool one_set =
      model.head() == model::Head::kSequenceClassification &&
      !(settings.head.has_value() && settings.head->HasNamedOutputs());
  if (!settings.entailment.empty()) {
    const auto label = std::ranges::find(labels, settings.entailment);
    if (one_set && label != labels.end())
      return static_cast<size_t>(label - labels.begin());
    return absl::InvalidArgumentError(absl::StrCat(
        "deberta.json: entailment: expected ",
        one_set ? absl::StrCat("one of the model's labels (",
                               absl::StrJoin(labels, ", ").substr(0, 300), ")")
                : std::string("none: the model has no head of one set of "
                              "sequence labels"),
        ", got \"", settings.entailment.substr(0, 60), "\""));
  }
  if (!one_set) return std::optional<size_t>();
  if (!settings.head.has_value()) return model.config().entailment_label;
  const auto label = std::ranges::find_if(labels, [](const std::string& name) {
    return absl::StartsWithIgnoreCase(name, "entail");
  });
  if (label == labels.end()) return std::optional<size_t>();
  return static_cast<size_t>(label - labels.begin());
}

absl::Status AddHead(const HeadDeclaration& declaration,
                     const model::Model& model, TaskSettings* told) {
  if (declaration.head.pooling == model::SequencePooling::kMarker) {
    told->marker = declaration.head.marker;
    if (declaration.head.marker >= model.config().vocab_size) {
      return absl::InvalidArgumentError(absl::StrCat(
          "deberta.json: head.pooling.token_id: expected less than "
          "vocab_size (",
          model.config().vocab_size, "), got ", declaration.head.marker));
    }
  }
  if (!declaration.HasNamedOutputs()) return absl::OkStatus();
  auto outputs = std::make_unique<HeadOutputs>(declaration.outputs);
  absl::Status placed = PlaceOutputs(model.output_columns(), outputs.get());
  told->outputs = std::move(outputs);
  return placed;
}

}  // namespace

absl::StatusOr<TaskSettings> MakeTaskSettings(const ModelSettings& settings,
                                              const SentenceModules& modules,
                                              const LoadOptions& options,
                                              const model::Model& model) {
  if (absl::Status s = CheckMaxTokens(settings, options, model); !s.ok())
    return s;
  TaskSettings told = {.max_tokens = WantedMaxTokens(settings, options),
                       .function = settings.function};
  if (!told.max_tokens.has_value() && modules.max_tokens.has_value()) {
    told.max_tokens = std::min(static_cast<uint64_t>(*modules.max_tokens),
                               model.longest_sequence());
  }
  const auto entailment = EntailmentOf(settings, model);
  if (!entailment.ok()) return entailment.status();
  told.entailment = *entailment;
  if (settings.head.has_value()) {
    if (!told.function.has_value()) told.function = settings.head->function;
    if (absl::Status s = AddHead(*settings.head, model, &told); !s.ok())
      return s;
  }
  if (modules.vectors.has_value()) {
    if (absl::Status s = CheckWidths(
            *modules.vectors, static_cast<size_t>(model.config().hidden_size));
        !s.ok()) {
      return s;
    }
    told.vectors = std::make_unique<const TextVectors>(*modules.vectors);
  }
  return told;
}

}  // namespace deberta::server
