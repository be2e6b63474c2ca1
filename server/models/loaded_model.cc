#include "server/models/loaded_model.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <future>
#include <initializer_list>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/checkpoint/weight_files.h"
#include "server/base/stopwatch.h"
#include "server/models/file_digest.h"
#include "server/models/load_progress.h"
#include "server/models/model_settings.h"
#include "server/precision/calibration.h"
#include "server/precision/self_test.h"
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
  if (tokenizer.vocab_size() > config.vocab_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("the tokenizer has ids up to ", tokenizer.vocab_size() - 1,
                     ", but config.json's vocab_size is ", config.vocab_size,
                     ": the two are not of the same model"));
  }
  // Pairs are looked at when one comes: a model may never be asked any.
  const int32_t type = tokenizer.max_type_id(/*is_pair=*/false);
  if (config.type_vocab_size > 0 && type >= config.type_vocab_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the tokenizer's template gives a text the type ", type,
        ", but config.json's type_vocab_size is ", config.type_vocab_size));
  }
  return absl::OkStatus();
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
      if (!model.config().entailment_label.has_value()) {
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
      return {{TaskKind::kZeroShot,
               "no label of its config.json's label2id begins with \"entail\" "
               "(without id2label, the reference reads the last label alone)"}};
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

size_t MaxTokens(const tokenizer::Tokenizer& tokenizer,
                 const model::Model& model) {
  const uint64_t limit =
      std::min(static_cast<uint64_t>(model.config().max_position_embeddings),
               model.longest_sequence());
  const std::optional<int64_t> own = tokenizer.model_max_length();
  return own.has_value() ? std::min(static_cast<uint64_t>(*own), limit) : limit;
}

TaskModel Inputs(const LoadedModel& loaded) {
  const model::Model& model = *loaded.networks.served;
  TaskModel task_model = {
      .tokenizer = loaded.tokenizer.get(),
      .config = &model.config(),
      .labels = model.labels(),
      .entailment = model.config().entailment_label,
      .max_tokens = MaxTokens(*loaded.tokenizer, model),
      .multiple_choice = model.head() == model::Head::kMultipleChoice};
  if (model.head() == model::Head::kReplacedTokenDetection) {
    task_model.ignored_label = model.labels().front();
  }
  return task_model;
}

uint64_t ResidentBytes(const LoadedModel& loaded) {
  const ServedNetworks& networks = loaded.networks;
  return networks.served->resident_bytes() +
         (networks.fp32 == nullptr ? 0 : networks.fp32->resident_bytes()) +
         loaded.tokenizer->resident_bytes();
}

ServedModel Describe(const std::string& name, const LoadedModel& loaded,
                     const ModelLoading& loading, std::string sha256) {
  const model::Model& model = *loaded.networks.served;
  const model::Config& config = model.config();
  const Agreement agreement = loaded.networks.agreement.value_or(Agreement());
  const std::optional<model::FillMaskDecoder> decoder =
      model.fill_mask_decoder();
  return {
      .name = name,
      .precision = std::string(model::PrecisionName(model.precision().used)),
      .requested_precision =
          std::string(WantedPrecisionName(loading.precision.wanted)),
      .precision_note = loaded.networks.note,
      .label_agreement = agreement.label_agreement(),
      .max_logit_change = agreement.max_logit_change,
      .family =
          config.family == model::Family::kDeberta ? "deberta" : "deberta-v2",
      .tasks = Tasks(model, *loaded.tokenizer),
      .sha256 = std::move(sha256),
      .labels = model.labels(),
      .hidden_size = config.hidden_size,
      .layers = config.num_hidden_layers,
      .parameters = model.parameters(),
      .weights_format = std::string(model.weights_format()),
      .tokenizer_profile =
          std::string(tokenizer::ProfileName(loaded.tokenizer->profile())),
      .fill_mask_decoder =
          decoder.has_value()
              ? std::string(model::FillMaskDecoderName(*decoder))
              : std::string(),
      .resident_bytes = ResidentBytes(loaded),
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
    const ModelSettings& settings, model::Precision precision) {
  LoadProgressLine line(stderr, source.name);
  return model::Model::Load(
      source.directory,
      {.load_threads = loading.load_threads,
       .precision = precision,
       .products = loading.products,
       .observer = [&](const model::LoadProgress& p) { line.Show(p); },
       .checkpoint = {.allowed = loading.allowed_weights,
                      .variant = source.variant,
                      .hdf5_reader = loading.hdf5_reader},
       .fill_mask = settings.fill_mask});
}

CalibratedModel Calibrated(const tokenizer::Tokenizer& tokenizer,
                           const model::Model& model) {
  return {.tokenizer = &tokenizer,
          .head = model.head(),
          .problem_type = model.config().problem_type,
          .classes = model.logit_width(),
          .max_tokens = MaxTokens(tokenizer, model)};
}

// What precisions of `model` are compared on.
absl::StatusOr<Calibration> CalibrationOf(const ModelSettings& settings,
                                          const tokenizer::Tokenizer& tokenizer,
                                          const model::Model& model) {
  absl::StatusOr<Calibration> calibration =
      MakeCalibration(settings.calibration, Calibrated(tokenizer, model));
  if (calibration.ok() || settings.calibration.empty()) return calibration;
  return absl::InvalidArgumentError(
      absl::StrCat("deberta.json: ", calibration.status().message()));
}

// SHA-256 of the weights file, or of the index of its shards.
absl::StatusOr<std::string> Digest(const ModelSource& source,
                                   const ModelLoading& loading) {
  const auto files = model::FindWeightFiles(source.directory, source.variant,
                                            loading.allowed_weights);
  if (!files.ok()) return files.status();
  return Sha256OfFile(files->path);
}

// Checks the directory by its network in fp32, then loads what is to be served.
absl::StatusOr<ServedNetworks> LoadNetworks(
    const ModelSource& source, const ModelLoading& loading,
    const ModelSettings& settings, const tokenizer::Tokenizer& tokenizer,
    std::unique_ptr<const model::Model> fp32, Log* log) {
  const auto load = [&](model::Precision precision) {
    return LoadNetwork(source, loading, settings, precision);
  };
  const model::Model& model = *fp32;
  if (absl::Status s = CheckTokenizerFits(tokenizer, model.config()); !s.ok())
    return s;
  if (absl::Status s = CheckLabels(model); !s.ok()) return s;
  WarnOfUnexpected(source.name, model, log);
  const auto calibrate = [&] {
    log->Info("comparing precisions", {{"model", source.name}});
    return CalibrationOf(settings, tokenizer, model);
  };
  return ChooseNetworks(std::move(fp32), load, calibrate, loading.precision);
}

// Asks every network that calls can reach.
absl::Status TestNetworks(const LoadedModel& loaded, int threads) {
  model::Workspace workspace(threads);
  for (const model::Model* network :
       {loaded.networks.served.get(), loaded.networks.fp32.get()}) {
    if (network == nullptr) continue;
    if (absl::Status s = SelfTest(
            *network, Calibrated(*loaded.tokenizer, *network), workspace);
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

// How the precision came about, where fp32 was not simply asked for.
void LogPrecision(const LoadedModel& loaded, Log* log) {
  const ServedModel& served = loaded.served;
  if (served.precision_note.empty()) return;
  const Agreement agreement = loaded.networks.agreement.value_or(Agreement());
  const std::initializer_list<LogField> fields = {
      {"model", served.name},
      {"requested", served.requested_precision},
      {"precision", served.precision},
      {"reason", served.precision_note},
      {"label_agreement", served.label_agreement},
      {"labels", static_cast<int64_t>(agreement.labels)},
      {"inputs", static_cast<int64_t>(agreement.inputs)},
      {"max_logit_change", served.max_logit_change}};
  if (served.requested_precision == "auto" ||
      served.requested_precision == served.precision) {
    log->Info("precision chosen", fields);
  } else {
    log->Warning("the precision asked for is not served", fields);
  }
  if (const std::string& instead = loaded.networks.served->precision().instead;
      !instead.empty()) {
    log->Warning(instead, {{"model", served.name}});
  }
}

void LogLoaded(const LoadedModel& loaded, Log* log) {
  const ServedModel& served = loaded.served;
  const std::string& reason = loaded.tokenizer->profile_reason();
  log->Info(
      "model loaded",
      {{"model", served.name},
       {"family", served.family},
       {"precision", served.precision},
       {"products", loaded.networks.served->products()},
       {"weights_format", served.weights_format},
       {"tokenizer_profile", served.tokenizer_profile},
       {"tokenizer_profile_reason", reason.empty() ? "asked for" : reason},
       {"parameters", served.parameters},
       {"resident_bytes", static_cast<int64_t>(served.resident_bytes)},
       {"seconds", absl::ToDoubleSeconds(loaded.load_time)},
       {"sha256", served.sha256}});
}

}  // namespace

absl::StatusOr<LoadedModel> LoadModel(const ModelSource& source,
                                      const ModelLoading& loading, Log* log) {
  const Stopwatch watch;
  LoadedModel loaded;
  if (absl::Status s = CheckDirectory(source); !s.ok()) {
    return InModel(source, s);
  }
  absl::StatusOr<ModelSettings> settings = ReadModelSettings(source.directory);
  if (!settings.ok()) return InModel(source, settings.status());
  // Weights, their digest and the tokenizer are read side by side.
  auto fp32 = std::async(std::launch::async, [&] {
    return LoadNetwork(source, loading, *settings, model::Precision::kFp32);
  });
  auto digest =
      std::async(std::launch::async, [&] { return Digest(source, loading); });
  absl::StatusOr<std::unique_ptr<const tokenizer::Tokenizer>> tokenizer =
      tokenizer::LoadTokenizer(
          source.directory, {.profile = settings->tokenizer_profile.has_value()
                                            ? settings->tokenizer_profile
                                            : loading.tokenizer_profile});
  if (!tokenizer.ok()) return InModel(source, tokenizer.status());
  loaded.tokenizer = *std::move(tokenizer);
  absl::StatusOr<std::unique_ptr<const model::Model>> network = fp32.get();
  if (!network.ok()) return InModel(source, network.status());
  absl::StatusOr<ServedNetworks> networks = LoadNetworks(
      source, loading, *settings, *loaded.tokenizer, *std::move(network), log);
  if (!networks.ok()) return InModel(source, networks.status());
  loaded.networks = *std::move(networks);
  if (absl::Status s = TestNetworks(loaded, loading.precision.threads);
      !s.ok()) {
    return InModel(source, s);
  }
  absl::StatusOr<std::string> sha256 = digest.get();
  if (!sha256.ok()) return InModel(source, sha256.status());
  loaded.served = Describe(source.name, loaded, loading, *std::move(sha256));
  loaded.load_time = watch.elapsed();
  LogPrecision(loaded, log);
  LogLoaded(loaded, log);
  return loaded;
}

}  // namespace deberta::server
