#include "server/loaded_model.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/file_digest.h"
#include "server/load_progress.h"
#include "server/model_settings.h"
#include "server/stopwatch.h"
#include "server/tasks/zero_shot.h"
#include "tokenizer/loader.h"

namespace deberta::server {
namespace {

constexpr size_t kMostListed = 20;

absl::Status InModel(const ModelSource& source, const absl::Status& status) {
  return absl::Status(
      status.code(), absl::StrCat("model ", source.name, " (", source.directory,
                                  "): ", status.message()));
}

absl::Status CheckTokenizerFits(const tokenizer::Tokenizer& tokenizer,
                                const model::Config& config) {
  if (tokenizer.vocab_size() <= config.vocab_size) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the tokenizer has ids up to ", tokenizer.vocab_size() - 1,
                   ", but config.json's vocab_size is ", config.vocab_size,
                   ": the two are not of the same model"));
}

absl::Status CheckLabels(const model::Model& model) {
  const bool labelled = model.head() == model::Head::kSequenceClassification ||
                        model.head() == model::Head::kTokenClassification;
  if (!labelled || model.config().labels.size() == model.logit_width())
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the head has ", model.logit_width(), " outputs, but config.json names ",
      model.config().labels.size(), " labels"));
}

std::vector<TaskKind> Tasks(const model::Model& model,
                            const tokenizer::Tokenizer& tokenizer) {
  switch (model.head()) {
    case model::Head::kNone:
      return {TaskKind::kEncode};
    case model::Head::kSequenceClassification:
      if (!EntailmentLabel(model.labels()).has_value()) {
        return {TaskKind::kClassify, TaskKind::kEncode};
      }
      return {TaskKind::kClassify, TaskKind::kZeroShot, TaskKind::kEncode};
    case model::Head::kMultipleChoice:
      return {TaskKind::kClassify, TaskKind::kEncode};
    case model::Head::kTokenClassification:
    case model::Head::kReplacedTokenDetection:
      return {TaskKind::kTagTokens, TaskKind::kEncode};
    case model::Head::kQuestionAnswering:
      return {TaskKind::kAnswerQuestion, TaskKind::kEncode};
    case model::Head::kMaskedLanguageModel:
      if (!tokenizer.special_ids().mask.has_value()) return {TaskKind::kEncode};
      return {TaskKind::kFillMask, TaskKind::kEncode};
  }
  return {};
}

// Why the model lacks a task that its head may seem to allow.
std::map<TaskKind, std::string> Refusals(model::Head head) {
  switch (head) {
    case model::Head::kSequenceClassification:
      return {
          {TaskKind::kZeroShot, "none of its labels begins with \"entail\""}};
    case model::Head::kMultipleChoice:
      return {{TaskKind::kZeroShot, "it chooses among answers"}};
    case model::Head::kReplacedTokenDetection:
      return {{TaskKind::kFillMask,
               "it is a discriminator, trained to tell replaced tokens from "
               "original ones, and predicts no words, whatever lm_predictions "
               "its file holds; the generator of the same pretraining does: "
               "pytorch_model.generator.bin, served as DIR:generator"}};
    case model::Head::kMaskedLanguageModel:
      return {{TaskKind::kFillMask, "its tokenizer has no mask token"}};
    default:
      return {};
  }
}

TaskModel Inputs(const LoadedModel& loaded) {
  const model::Model& model = *loaded.model;
  const auto limit =
      static_cast<int64_t>(model.config().max_position_embeddings);
  const int64_t max_tokens =
      std::min(loaded.tokenizer->model_max_length().value_or(limit), limit);
  TaskModel task_model = {
      .tokenizer = loaded.tokenizer.get(),
      .config = &model.config(),
      .labels = model.labels(),
      .max_tokens = static_cast<size_t>(max_tokens),
      .multiple_choice = model.head() == model::Head::kMultipleChoice};
  if (model.head() == model::Head::kReplacedTokenDetection) {
    task_model.ignored_label = model.labels().front();
  }
  return task_model;
}

ServedModel Describe(const std::string& name, const LoadedModel& loaded,
                     tokenizer::Profile profile, std::string sha256) {
  const model::Model& model = *loaded.model;
  const model::Config& config = model.config();
  const std::optional<model::FillMaskDecoder> decoder =
      model.fill_mask_decoder();
  return {
      .name = name,
      .precision = std::string(model::PrecisionName(model.precision().used)),
      .family =
          config.family == model::Family::kDeberta ? "deberta" : "deberta-v2",
      .tasks = Tasks(model, *loaded.tokenizer),
      .sha256 = std::move(sha256),
      .labels = model.labels(),
      .hidden_size = config.hidden_size,
      .layers = config.num_hidden_layers,
      .parameters = model.parameters(),
      .weights_format = std::string(model.weights_format()),
      .tokenizer_profile = std::string(tokenizer::ProfileName(profile)),
      .fill_mask_decoder =
          decoder.has_value()
              ? std::string(model::FillMaskDecoderName(*decoder))
              : std::string(),
      .resident_bytes =
          model.resident_bytes() + loaded.tokenizer->resident_bytes(),
      .task_model = Inputs(loaded),
      .refusals = Refusals(model.head())};
}

// Tensors left unused, named so far as a line can hold them.
void WarnOfUnexpected(const std::string& name, const model::Model& model,
                      Log* log) {
  const std::vector<std::string>& tensors = model.unexpected_tensors();
  if (tensors.empty()) return;
  const size_t listed = std::min(tensors.size(), kMostListed);
  log->Warning(
      "the weights hold tensors that are not used",
      {{"model", name},
       {"count", static_cast<int64_t>(tensors.size())},
       {"tensors",
        absl::StrJoin(tensors.begin(),
                      tensors.begin() + static_cast<std::ptrdiff_t>(listed),
                      ", ")}});
}

// The network of the directory, with a line that shows how far it is.
absl::StatusOr<std::unique_ptr<const model::Model>> LoadNetwork(
    const ModelSource& source, const ModelLoading& loading,
    const ModelSettings& settings) {
  LoadProgressLine line(stderr, source.name);
  return model::Model::Load(
      source.directory,
      {.load_threads = loading.load_threads,
       .precision = loading.precision,
       .observer = [&](const model::LoadProgress& p) { line.Show(p); },
       .checkpoint = {.allowed = loading.allowed_weights,
                      .variant = source.variant,
                      .hdf5_reader = loading.hdf5_reader},
       .fill_mask = settings.fill_mask});
}

}  // namespace

absl::StatusOr<LoadedModel> LoadModel(const ModelSource& source,
                                      const ModelLoading& loading, Log* log) {
  const Stopwatch watch;
  LoadedModel loaded;
  absl::StatusOr<ModelSettings> settings = ReadModelSettings(source.directory);
  if (!settings.ok()) return InModel(source, settings.status());
  const tokenizer::Profile profile =
      settings->tokenizer_profile.value_or(loading.tokenizer_profile);
  absl::StatusOr<std::unique_ptr<const tokenizer::Tokenizer>> tokenizer =
      tokenizer::LoadTokenizer(source.directory, {.profile = profile});
  if (!tokenizer.ok()) return InModel(source, tokenizer.status());
  loaded.tokenizer = *std::move(tokenizer);
  absl::StatusOr<std::unique_ptr<const model::Model>> model =
      LoadNetwork(source, loading, *settings);
  if (!model.ok()) return InModel(source, model.status());
  loaded.model = *std::move(model);
  if (absl::Status s =
          CheckTokenizerFits(*loaded.tokenizer, loaded.model->config());
      !s.ok())
    return InModel(source, s);
  if (absl::Status s = CheckLabels(*loaded.model); !s.ok())
    return InModel(source, s);
  WarnOfUnexpected(source.name, *loaded.model, log);
  if (const std::string& reason = loaded.model->precision().reason;
      !reason.empty())
    log->Warning(reason, {{"model", source.name}});
  absl::StatusOr<std::string> sha256 =
      Sha256OfFile(loaded.model->weights_path());
  if (!sha256.ok()) return InModel(source, sha256.status());
  loaded.served = Describe(source.name, loaded, profile, *std::move(sha256));
  loaded.load_time = watch.elapsed();
  log->Info(
      "model loaded",
      {{"model", source.name},
       {"family", loaded.served.family},
       {"precision", loaded.served.precision},
       {"weights_format", loaded.served.weights_format},
       {"tokenizer_profile", loaded.served.tokenizer_profile},
       {"parameters", loaded.served.parameters},
       {"resident_bytes", static_cast<int64_t>(loaded.served.resident_bytes)},
       {"seconds", absl::ToDoubleSeconds(loaded.load_time)},
       {"sha256", loaded.served.sha256}});
  return loaded;
}

}  // namespace deberta::server
