#include "server/models/served_model.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "server/models/sequence_limit.h"
#include "tokenizer/files/profile.h"

namespace deberta::server {
namespace {

// Of a sequence classifier.
std::vector<TaskKind> ClassifierTasks(const model::Model& model,
                                      const TaskSettings& settings) {
  std::vector<TaskKind> tasks = {TaskKind::kClassify};
  if (settings.entailment.has_value()) tasks.push_back(TaskKind::kZeroShot);
  tasks.push_back(TaskKind::kEncode);
  if (model.labels().size() == 1) tasks.push_back(TaskKind::kRerank);
  return tasks;
}

// Of a head that reads the caller's labels.
std::vector<TaskKind> LabelTasks(const model::LabelHead& head) {
  switch (head.kind) {
    case model::LabelHeadKind::kSpans:
    case model::LabelHeadKind::kTokens:
    case model::LabelHeadKind::kTokensAndSpans:
      return {TaskKind::kExtractEntities, TaskKind::kEncode};
    case model::LabelHeadKind::kClasses:
      return {TaskKind::kZeroShot, TaskKind::kEncode};
    case model::LabelHeadKind::kGroups:
      return {TaskKind::kExtractEntities, TaskKind::kExtractStructured,
              TaskKind::kZeroShot, TaskKind::kEncode};
  }
  return {};
}

// Whether the model has an embedding of the mask token.
bool HasMask(const model::Model& model, const tokenizer::Tokenizer& tokenizer) {
  const std::optional<int32_t> mask = tokenizer.special_ids().mask;
  return mask.has_value() && *mask < model.config().vocab_size;
}

std::vector<TaskKind> Tasks(const model::Model& model,
                            const tokenizer::Tokenizer& tokenizer,
                            const TaskSettings& settings) {
  if (model.label_head() != nullptr) return LabelTasks(*model.label_head());
  switch (model.head()) {
    case model::Head::kNone:
      return {TaskKind::kEncode};
    case model::Head::kSequenceClassification:
      return ClassifierTasks(model, settings);
    case model::Head::kMultipleChoice:
      return {TaskKind::kClassify, TaskKind::kEncode};
    case model::Head::kTokenClassification:
    case model::Head::kReplacedTokenDetection:
      return {TaskKind::kTagTokens, TaskKind::kEncode};
    case model::Head::kQuestionAnswering:
      return {TaskKind::kAnswerQuestion, TaskKind::kEncode};
    case model::Head::kMaskedLanguageModel:
      if (!HasMask(model, tokenizer)) return {TaskKind::kEncode};
      return {TaskKind::kFillMask, TaskKind::kEncode};
  }
  return {};
}

// Why the model lacks a task that its head may seem to allow.
std::map<TaskKind, std::string> Refusals(model::Head head) {
  switch (head) {
    case model::Head::kSequenceClassification:
      return {{TaskKind::kZeroShot,
               "no label of its config.json's label2id begins with \"entail\" "
               "(without id2label, the reference reads the last label alone); "
               "\"entailment\" in deberta.json can name the label"},
              {TaskKind::kRerank, "it has more than one label"}};
    case model::Head::kMultipleChoice:
      return {{TaskKind::kZeroShot, "it chooses among answers"}};
    case model::Head::kReplacedTokenDetection:
      return {{TaskKind::kFillMask,
               "it is a discriminator, trained to tell replaced tokens from "
               "original ones, and predicts no words, whatever lm_predictions "
               "its file holds; the generator of the same pretraining does: "
               "pytorch_model.generator.bin, served as DIR:generator"}};
    case model::Head::kMaskedLanguageModel:
      return {{TaskKind::kFillMask,
               "its tokenizer has no mask token, or one whose id is beyond the "
               "model's vocab_size"}};
    default:
      return {};
  }
}

std::string DecoderName(const model::Model& network) {
  const std::optional<model::FillMaskDecoder> decoder =
      network.fill_mask_decoder();
  return decoder.has_value() ? std::string(model::FillMaskDecoderName(*decoder))
                             : std::string();
}

uint64_t ResidentBytes(const ServedModel& model) {
  return model.network->resident_bytes() +
         (model.fp32_network == nullptr
              ? 0
              : model.fp32_network->resident_bytes()) +
         model.tokenizer->resident_bytes();
}

}  // namespace

TaskModel MakeTaskModel(const tokenizer::Tokenizer& tokenizer,
                        const model::Model& network,
                        const TaskSettings& settings) {
  TaskModel task_model = {
      .tokenizer = &tokenizer,
      .config = &network.config(),
      .labels = network.labels(),
      .entailment = settings.entailment,
      .max_tokens = MaxTokens(settings.max_tokens, tokenizer, network),
      .row_cost = network.row_cost(),
      .multiple_choice = network.head() == model::Head::kMultipleChoice,
      .function = settings.function,
      .outputs = settings.outputs.get(),
      .marker = settings.marker,
      .vectors = settings.vectors.get(),
      .label_head = network.label_head()};
  if (network.head() == model::Head::kReplacedTokenDetection) {
    task_model.ignored_label = network.labels().front();
  }
  return task_model;
}

ServedModel MakeServedModel(
    const std::string& name, WantedPrecision wanted,
    std::unique_ptr<const tokenizer::Tokenizer> tokenizer,
    ServedNetworks networks, TaskSettings settings) {
  ServedModel model = {.tokenizer = std::move(tokenizer),
                       .network = std::move(networks.served),
                       .fp32_network = std::move(networks.fp32),
                       .settings = std::move(settings)};
  const model::Model& network = *model.network;
  const model::Config& config = network.config();
  model.task_model = MakeTaskModel(*model.tokenizer, network, model.settings);
  model.description = {
      .name = name,
      .family =
          config.family == model::Family::kDeberta ? "deberta" : "deberta-v2",
      .tasks = Tasks(network, *model.tokenizer, model.settings),
      .refusals = Refusals(network.head()),
      .precision = std::string(model::PrecisionName(network.precision().used)),
      .requested_precision = std::string(WantedPrecisionName(wanted)),
      .precision_note = std::move(networks.note),
      .products = network.products(),
      .agreement = networks.agreement.value_or(Agreement()),
      .keeps_fp32 = model.fp32_network != nullptr,
      .weights_format = std::string(network.weights_format()),
      .tokenizer_profile =
          std::string(tokenizer::ProfileName(model.tokenizer->profile())),
      .fill_mask_decoder = DecoderName(network),
      .hidden_size = config.hidden_size,
      .layers = config.num_hidden_layers,
      .parameters = network.parameters(),
      .resident_bytes = ResidentBytes(model)};
  return model;
}

}  // namespace deberta::server
