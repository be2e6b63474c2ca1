#include "server/models/load_model.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <future>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/checkpoint/checkpoint.h"
#include "model/model.h"
#include "server/base/resident_memory.h"
#include "server/base/stopwatch.h"
#include "server/models/file_digest.h"
#include "server/models/label_tokenizer.h"
#include "server/models/load_progress.h"
#include "server/models/memory_room.h"
#include "server/models/model_settings.h"
#include "server/models/published_conventions.h"
#include "server/models/sentence_modules.h"
#include "server/models/task_settings.h"
#include "server/precision/calibration.h"
#include "server/precision/self_test.h"
#include "tokenizer/loader.h"

namespace deberta::server {
namespace {

constexpr size_t kMostListed = 20;

absl::Status CheckTokenizerFits(const tokenizer::Tokenizer& tokenizer,
                                const model::Config& config) {
  if (tokenizer.piece_vocab_size() > config.vocab_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the tokenizer has ids up to ", tokenizer.piece_vocab_size() - 1,
        ", but config.json's vocab_size is ", config.vocab_size,
        ": the two are not of the same model"));
  }
  const std::vector<int32_t> around = tokenizer.Assemble({}, nullptr).ids;
  if (!around.empty() && std::ranges::max(around) >= config.vocab_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the tokenizer puts the token of id ", std::ranges::max(around),
        " around every text, but config.json's vocab_size is ",
        config.vocab_size));
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
  if (!labelled || model.labels().size() == model.logit_width())
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the head has ", model.logit_width(), " outputs, but config.json names ",
      model.labels().size(), " labels"));
}

// Ids that the model has no embedding for stop the inputs that hold one, as
// they do in the reference.
void WarnOfUnknownIds(const std::string& name,
                      const tokenizer::Tokenizer& tokenizer,
                      const model::Config& config, Log* log) {
  if (tokenizer.vocab_size() <= config.vocab_size) return;
  log->Warning(
      "the tokenizer has ids that the model has no embedding for; "
      "inputs that hold one are refused",
      {{"model", name},
       {"ids_up_to", int64_t{tokenizer.vocab_size()} - 1},
       {"vocab_size", config.vocab_size}});
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

// With a line that shows how far it is.
absl::StatusOr<std::unique_ptr<const model::Model>> LoadNetwork(
    const ModelSource& source, const LoadOptions& options,
    const ModelSettings& settings,
    const std::shared_ptr<const model::Checkpoint>& checkpoint,
    model::Precision precision) {
  LoadProgressLine line(stderr, source.name);
  return model::Model::Load(
      checkpoint,
      {.load_threads = options.threads,
       .precision = precision,
       .products = options.products,
       .observer = [&](const model::LoadProgress& p) { line.Show(p); },
       .fill_mask = settings.fill_mask,
       .head = settings.head.has_value() ? std::optional(settings.head->head)
                                         : std::nullopt,
       .shared_weights = options.shared_weights.get(),
       .share_checkpoint = true});
}

// The weights of a directory: all of it comes from the files as they were when
// they were read, once.
struct OpenedWeights {
  std::shared_ptr<const model::Checkpoint> checkpoint = nullptr;
  std::string sha256 = {};
  std::unique_ptr<const model::Model> fp32 = nullptr;
};

// Bytes of all tensors packed in fp32, and in a lower precision beside it: more
// than what will be held.
size_t PackedBytes(const model::Checkpoint& checkpoint,
                   const LoadOptions& options) {
  size_t elements = 0;
  for (const auto& [name, tensor] : checkpoint.tensors())
    elements += tensor.elements();
  const bool lower = options.precision.wanted != model::Precision::kFp32;
  return elements * (sizeof(float) + (lower ? sizeof(uint16_t) : 0));
}

absl::StatusOr<OpenedWeights> OpenWeights(const ModelSource& source,
                                          const LoadOptions& options,
                                          const ModelSettings& settings) {
  // Its files are read whole.
  if (absl::Status s = CheckRoom(DirectoryBytes(source.directory),
                                 AnonymousBytes(), options.memory_bytes);
      !s.ok()) {
    return s;
  }
  Sha256 sha256;
  auto checkpoint = model::Checkpoint::Open(
      source.directory,
      {.allowed = options.allowed_weights,
       .variant = source.variant,
       .hdf5_reader = options.hdf5_reader,
       .backbone_prefix =
           settings.head.has_value() ? settings.head->backbone : std::string(),
       .weights_observer = [&sha256](std::span<const std::byte> bytes) {
         sha256.Add(bytes);
       }});
  if (!checkpoint.ok()) return checkpoint.status();
  OpenedWeights weights = {.checkpoint = *std::move(checkpoint),
                           .sha256 = sha256.Finish()};
  if (absl::Status s = CheckRoom(PackedBytes(*weights.checkpoint, options),
                                 AnonymousBytes(), options.memory_bytes);
      !s.ok()) {
    return s;
  }
  auto fp32 = LoadNetwork(source, options, settings, weights.checkpoint,
                          model::Precision::kFp32);
  if (!fp32.ok()) return fp32.status();
  weights.fp32 = *std::move(fp32);
  return weights;
}

// What precisions of `network` are compared on.
absl::StatusOr<Calibration> CalibrationOf(const ModelSettings& settings,
                                          const TaskSettings& task_settings,
                                          const tokenizer::Tokenizer& tokenizer,
                                          const model::Model& network) {
  absl::StatusOr<Calibration> calibration =
      MakeCalibration(settings.calibration, network.head(),
                      MakeTaskModel(tokenizer, network, task_settings));
  if (calibration.ok() || settings.calibration.empty()) return calibration;
  return absl::InvalidArgumentError(
      absl::StrCat("deberta.json: ", calibration.status().message()));
}

// Checks the directory by its network in fp32, then loads what is to be served.
absl::StatusOr<ServedNetworks> LoadNetworks(
    const ModelSource& source, const LoadOptions& options,
    const ModelSettings& settings, const TaskSettings& task_settings,
    const tokenizer::Tokenizer& tokenizer, OpenedWeights* weights, Log* log) {
  const auto load = [&](model::Precision precision) {
    return LoadNetwork(source, options, settings, weights->checkpoint,
                       precision);
  };
  const model::Model& fp32 = *weights->fp32;
  if (absl::Status s = CheckTokenizerFits(tokenizer, fp32.config()); !s.ok())
    return s;
  WarnOfUnknownIds(source.name, tokenizer, fp32.config(), log);
  if (absl::Status s = CheckLabels(fp32); !s.ok()) return s;
  if (absl::Status s =
          CheckPromptTokens(tokenizer, fp32.label_head(), fp32.config());
      !s.ok()) {
    return s;
  }
  WarnOfUnexpected(source.name, fp32, log);
  const auto calibrate = [&] {
    log->Info("comparing precisions", {{"model", source.name}});
    return CalibrationOf(settings, task_settings, tokenizer, fp32);
  };
  return ChooseNetworks(std::move(weights->fp32), load, calibrate,
                        options.precision);
}

// Asks every network that calls can reach.
absl::Status TestNetworks(const ServedModel& model, int threads) {
  model::Workspace workspace(threads);
  for (const model::Model* network :
       {model.network.get(), model.fp32_network.get()}) {
    if (network == nullptr) continue;
    if (absl::Status s = SelfTest(*network, model.task_model, workspace);
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

// How the precision came about, where fp32 was not simply asked for.
void LogPrecision(const ServedModel& model, Log* log) {
  const ModelDescription& told = model.description;
  if (told.precision_note.empty()) return;
  const std::initializer_list<LogField> fields = {
      {"model", told.name},
      {"requested", told.requested_precision},
      {"precision", told.precision},
      {"reason", told.precision_note},
      {"label_agreement", told.agreement.label_agreement()},
      {"labels", static_cast<int64_t>(told.agreement.labels)},
      {"inputs", static_cast<int64_t>(told.agreement.inputs)},
      {"max_logit_change", told.agreement.max_logit_change}};
  if (told.requested_precision == "auto" ||
      told.requested_precision == told.precision) {
    log->Info("precision chosen", fields);
  } else {
    log->Warning("the precision asked for is not served", fields);
  }
  if (const std::string& instead = model.network->precision().instead;
      !instead.empty()) {
    log->Warning(instead, {{"model", told.name}});
  }
}

void LogLoaded(const ServedModel& model, Log* log) {
  const ModelDescription& told = model.description;
  const std::string& reason = model.tokenizer->profile_reason();
  log->Info(
      "model loaded",
      {{"model", told.name},
       {"family", told.family},
       {"precision", told.precision},
       {"products", told.products},
       {"weights_format", told.weights_format},
       {"tokenizer_profile", told.tokenizer_profile},
       {"tokenizer_profile_reason", reason.empty() ? "asked for" : reason},
       {"parameters", told.parameters},
       {"resident_bytes", static_cast<int64_t>(told.resident_bytes)},
       {"shared_bytes", static_cast<int64_t>(model.network->shared_bytes())},
       {"seconds", absl::ToDoubleSeconds(told.load_time)},
       {"sha256", told.sha256}});
}

// What the directory says beside weights and tokenizer.
struct Told {
  SentenceModules modules;
  ModelSettings settings;
};

absl::StatusOr<Told> ReadTold(const ModelSource& source,
                              const LoadOptions& options) {
  absl::StatusOr<ModelSettings> settings = ReadModelSettings(source.directory);
  if (!settings.ok()) return settings.status();
  absl::StatusOr<SentenceModules> modules =
      ReadSentenceModules(source.directory, options.allowed_weights);
  if (!modules.ok()) return modules.status();
  if (absl::Status s =
          AddPublishedConventions(modules->network_directory, &*settings);
      !s.ok()) {
    return s;
  }
  return Told{*std::move(modules), *std::move(settings)};
}

absl::StatusOr<ServedModel> Load(const ModelSource& given,
                                 const LoadOptions& options, Log* log) {
  const Stopwatch watch;
  // Of sentence-transformers, all but modules.json may be a directory below.
  std::error_code error;
  const bool modules =
      std::filesystem::exists(given.directory + "/modules.json", error);
  if (absl::Status s = CheckDirectory(given); !s.ok() && !modules) return s;
  const absl::StatusOr<Told> told = ReadTold(given, options);
  if (!told.ok()) return told.status();
  const ModelSettings* settings = &told->settings;
  ModelSource source = given;
  source.directory = told->modules.network_directory;
  if (absl::Status s = CheckDirectory(source); !s.ok()) return s;
  absl::StatusOr<std::vector<std::string>> special_tokens =
      LabelSpecialTokens(source);
  if (!special_tokens.ok()) return special_tokens.status();
  // Weights, their digest and the tokenizer are read side by side.
  auto opening = std::async(std::launch::async, [&] {
    return OpenWeights(source, options, *settings);
  });
  absl::StatusOr<std::unique_ptr<const tokenizer::Tokenizer>> tokenizer =
      tokenizer::LoadTokenizer(
          source.directory, {.profile = settings->tokenizer_profile.has_value()
                                            ? settings->tokenizer_profile
                                            : options.tokenizer_profile,
                             .max_working_bytes = options.max_request_memory,
                             .special_tokens = *std::move(special_tokens)});
  if (!tokenizer.ok())
    return WithLabelTokenizerHint(source, tokenizer.status());
  absl::StatusOr<OpenedWeights> weights = opening.get();
  if (!weights.ok()) return weights.status();
  absl::StatusOr<TaskSettings> task_settings =
      MakeTaskSettings(*settings, told->modules, options, *weights->fp32);
  if (!task_settings.ok()) return task_settings.status();
  absl::StatusOr<ServedNetworks> networks = LoadNetworks(
      source, options, *settings, *task_settings, **tokenizer, &*weights, log);
  if (!networks.ok()) return networks.status();
  networks->served->ReleaseCheckpoint();
  ServedModel model = MakeServedModel(
      source.name, options.precision.wanted, *std::move(tokenizer),
      *std::move(networks), *std::move(task_settings));
  model.task_model.max_answer_bytes = options.max_request_memory;
  model.proofs = settings->proofs;
  if (absl::Status s = TestNetworks(model, options.precision.threads); !s.ok())
    return s;
  model.description.sha256 = std::move(weights->sha256);
  model.description.load_time = watch.elapsed();
  return model;
}

}  // namespace

absl::StatusOr<ServedModel> LoadModel(const ModelSource& source,
                                      const LoadOptions& options, Log* log) {
  absl::StatusOr<ServedModel> model = Load(source, options, log);
  if (!model.ok()) return InModel(source, model.status());
  LogPrecision(*model, log);
  LogLoaded(*model, log);
  return model;
}

}  // namespace deberta::server
