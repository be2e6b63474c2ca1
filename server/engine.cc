#include "server/engine.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/file_digest.h"
#include "server/load_progress.h"
#include "server/stopwatch.h"
#include "tokenizer/loader.h"

namespace deberta::server {
namespace {

// The tokenizers of transformers 4.
constexpr char kTokenizerProfile[] = "hf4";
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

std::vector<TaskKind> Tasks(model::Head head,
                            const tokenizer::Tokenizer& tokenizer) {
  switch (head) {
    case model::Head::kNone:
      return {TaskKind::kEncode};
    case model::Head::kSequenceClassification:
      return {TaskKind::kClassify, TaskKind::kEncode};
    case model::Head::kTokenClassification:
      return {TaskKind::kTagTokens, TaskKind::kEncode};
    case model::Head::kQuestionAnswering:
      return {TaskKind::kAnswerQuestion, TaskKind::kEncode};
    case model::Head::kMaskedLanguageModel:
      if (!tokenizer.special_ids().mask.has_value()) return {TaskKind::kEncode};
      return {TaskKind::kFillMask, TaskKind::kEncode};
    case model::Head::kMultipleChoice:
    case model::Head::kReplacedTokenDetection:
      return {TaskKind::kEncode};
  }
  return {};
}

ServedModel Describe(const std::string& name, const LoadedModel& loaded,
                     std::string sha256) {
  const model::Config& config = loaded.model->config();
  const auto limit = static_cast<int64_t>(config.max_position_embeddings);
  const int64_t max_tokens =
      std::min(loaded.tokenizer->model_max_length().value_or(limit), limit);
  return {.name = name,
          .precision = "fp32",
          .family = config.family == model::Family::kDeberta ? "deberta"
                                                             : "deberta-v2",
          .tasks = Tasks(loaded.model->head(), *loaded.tokenizer),
          .sha256 = std::move(sha256),
          .labels =
              loaded.model->head() == model::Head::kSequenceClassification ||
                      loaded.model->head() == model::Head::kTokenClassification
                  ? config.labels
                  : std::vector<std::string>(),
          .hidden_size = config.hidden_size,
          .layers = config.num_hidden_layers,
          .parameters = loaded.model->parameters(),
          .weights_format = std::string(loaded.model->weights_format()),
          .tokenizer_profile = kTokenizerProfile,
          .resident_bytes = loaded.model->resident_bytes() +
                            loaded.tokenizer->resident_bytes(),
          .task_model = {.tokenizer = loaded.tokenizer.get(),
                         .config = &config,
                         .labels = config.labels,
                         .max_tokens = static_cast<size_t>(max_tokens)}};
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

std::vector<ServedModel> ServedModels(const std::vector<LoadedModel>& models) {
  std::vector<ServedModel> served;
  for (const LoadedModel& model : models) served.push_back(model.served);
  return served;
}

}  // namespace

absl::StatusOr<LoadedModel> LoadModel(const ModelSource& source,
                                      int load_threads, Log* log) {
  const Stopwatch watch;
  LoadedModel loaded;
  absl::StatusOr<std::unique_ptr<const tokenizer::Tokenizer>> tokenizer =
      tokenizer::LoadTokenizer(source.directory);
  if (!tokenizer.ok()) return InModel(source, tokenizer.status());
  loaded.tokenizer = *std::move(tokenizer);
  {
    LoadProgressLine line(stderr, source.name);
    absl::StatusOr<std::unique_ptr<const model::Model>> model =
        model::Model::Load(
            source.directory,
            {.load_threads = load_threads,
             .observer = [&](const model::LoadProgress& p) { line.Show(p); }});
    if (!model.ok()) return InModel(source, model.status());
    loaded.model = *std::move(model);
  }
  if (absl::Status s =
          CheckTokenizerFits(*loaded.tokenizer, loaded.model->config());
      !s.ok())
    return InModel(source, s);
  if (absl::Status s = CheckLabels(*loaded.model); !s.ok())
    return InModel(source, s);
  WarnOfUnexpected(source.name, *loaded.model, log);
  absl::StatusOr<std::string> sha256 =
      Sha256OfFile(loaded.model->weights_path());
  if (!sha256.ok()) return InModel(source, sha256.status());
  loaded.served = Describe(source.name, loaded, *std::move(sha256));
  loaded.load_time = watch.elapsed();
  log->Info(
      "model loaded",
      {{"model", source.name},
       {"family", loaded.served.family},
       {"parameters", loaded.served.parameters},
       {"resident_bytes", static_cast<int64_t>(loaded.served.resident_bytes)},
       {"seconds", absl::ToDoubleSeconds(loaded.load_time)},
       {"sha256", loaded.served.sha256}});
  return loaded;
}

absl::StatusOr<std::unique_ptr<Engine>> Engine::Load(
    const Options& options, Scheduler::BatchObserver observer, Log* log) {
  std::vector<LoadedModel> models;
  for (const ModelSource& source : options.models) {
    absl::StatusOr<LoadedModel> model =
        LoadModel(source, options.workers * options.threads_per_worker, log);
    if (!model.ok()) return model.status();
    models.push_back(*std::move(model));
  }
  return std::unique_ptr<Engine>(
      new Engine(options, std::move(models), std::move(observer)));
}

Engine::Engine(const Options& options, std::vector<LoadedModel> models,
               Scheduler::BatchObserver observer)
    : models_(std::move(models)), catalog_(ServedModels(models_)) {
  for (int i = 0; i < options.workers; ++i) {
    workspaces_.push_back(
        std::make_unique<model::Workspace>(options.threads_per_worker));
  }
  scheduler_ = std::make_unique<Scheduler>(
      Scheduler::Options{.workers = options.workers,
                         .max_batch_tokens = options.max_batch_tokens,
                         .max_batch_wait = options.max_batch_wait,
                         .max_queue_tokens = options.max_queue_tokens},
      models_.size(),
      [this](size_t queue, int worker, const model::RaggedBatch& batch,
             model::BatchOutput* output) {
        return models_[queue].model->Forward(
            batch, *workspaces_[static_cast<size_t>(worker)], output);
      },
      std::move(observer));
}

Engine::~Engine() { scheduler_->Drain(absl::InfinitePast()); }

}  // namespace deberta::server
