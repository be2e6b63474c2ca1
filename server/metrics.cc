#include "server/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <map>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"
#include "server/connection_collector.h"
#include "server/process_collector.h"
#include "server/watched_collector.h"

namespace deberta::server {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;
using prometheus::Labels;

constexpr std::array kCodes = {absl::StatusCode::kOk,
                               absl::StatusCode::kInvalidArgument,
                               absl::StatusCode::kNotFound,
                               absl::StatusCode::kFailedPrecondition,
                               absl::StatusCode::kResourceExhausted,
                               absl::StatusCode::kDeadlineExceeded,
                               absl::StatusCode::kCancelled,
                               absl::StatusCode::kUnavailable,
                               absl::StatusCode::kUnauthenticated,
                               absl::StatusCode::kPermissionDenied,
                               absl::StatusCode::kInternal};

constexpr std::array<std::pair<Rejection, const char*>, 8> kRejections = {{
    {Rejection::kQueueFull, "queue_full"},
    {Rejection::kPredictedLate, "predicted_late"},
    {Rejection::kMemoryFull, "memory_full"},
    {Rejection::kTooLarge, "too_large"},
    {Rejection::kDraining, "draining"},
    {Rejection::kUnauthenticated, "unauthenticated"},
    {Rejection::kNotAllowed, "not_allowed"},
    {Rejection::kRateLimited, "rate_limited"},
}};

// Up to the default deadline of a call.
const Histogram::BucketBoundaries kSeconds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
    0.25,   0.5,   1,      2.5,   5,    10,    30,   60};
const Histogram::BucketBoundaries kSequences = {1,  2,  4,   8,  16,
                                                32, 64, 128, 256};
const Histogram::BucketBoundaries kTokens = {16,   32,   64,   128,  256,  512,
                                             1024, 2048, 4096, 8192, 16384};

// Methods beside the tasks.
constexpr std::array kOtherMethods = {kTokenizeMethod, kListModelsMethod,
                                      kGetModelMethod, kInferMethod};

Labels Of(const std::string& model, std::string_view method) {
  return {{"model", model}, {"task", std::string(method)}};
}

// Of the served models by number.
std::vector<prometheus::MetricFamily> Backlogs(
    const std::map<size_t, std::string>& models,
    const std::function<Metrics::Backlog(size_t)>& backlog) {
  prometheus::MetricFamily tokens = {"deberta_queue_tokens",
                                     "Tokens that wait to be computed.",
                                     prometheus::MetricType::Gauge,
                                     {}};
  prometheus::MetricFamily seconds = {
      "deberta_queue_seconds",
      "Predicted time to compute the tokens that wait.",
      prometheus::MetricType::Gauge,
      {}};
  for (const auto& [number, name] : models) {
    const Metrics::Backlog waiting = backlog(number);
    prometheus::ClientMetric metric;
    metric.label = {{"model", name}};
    metric.gauge.value = static_cast<double>(waiting.tokens);
    tokens.metric.push_back(metric);
    metric.gauge.value = waiting.seconds;
    seconds.metric.push_back(metric);
  }
  return {tokens, seconds};
}

struct MethodSeries {
  Counter* inputs = nullptr;
  Counter* tokens = nullptr;
  Counter* truncated = nullptr;
  Histogram* total = nullptr;
  Histogram* tokenize = nullptr;
  Histogram* queue = nullptr;
  Histogram* compute = nullptr;
};

struct ModelSeries {
  std::map<std::string_view, std::map<absl::StatusCode, Counter*>> requests;
  // Of those that read texts.
  std::map<std::string_view, MethodSeries> methods;
  std::map<Rejection, Counter*> rejected;
  Histogram* batch_sequences = nullptr;
  Histogram* batch_tokens = nullptr;
};

void Observe(Histogram* histogram, std::optional<absl::Duration> duration) {
  if (duration.has_value())
    histogram->Observe(absl::ToDoubleSeconds(*duration));
}

}  // namespace

struct Metrics::Series {
  prometheus::Registry registry;
  std::unique_ptr<ProcessCollector> process =
      std::make_unique<ProcessCollector>([] { return size_t{0}; });
  std::unique_ptr<ConnectionCollector> connections;  // null without a front
  WatchedCollector watched;
  mutable Mutex mutex;
  std::function<Backlog(size_t)> backlog ABSL_GUARDED_BY(mutex);

  Family<Counter>& requests = AddCounter(
      "deberta_requests_total",
      "Calls answered, by status code; model is empty where none was found.");
  Family<Counter>& inputs =
      AddCounter("deberta_inputs_total", "Inputs of accepted calls.");
  Family<Counter>& tokens = AddCounter(
      "deberta_tokens_total",
      "Tokens read of accepted inputs; what windows share counts once.");
  Family<Counter>& truncated = AddCounter("deberta_truncated_inputs_total",
                                          "Accepted inputs that were cut.");
  Family<Counter>& rejected =
      AddCounter("deberta_rejected_total",
                 "Calls that were turned away; model is empty where "
                 "that came first.");
  Family<Histogram>& total =
      AddHistogram("deberta_request_duration_seconds",
                   "From the parsed request to the answer.");
  Family<Histogram>& tokenize =
      AddHistogram("deberta_tokenize_duration_seconds",
                   "Turning a call's texts into tokens.");
  Family<Histogram>& queue =
      AddHistogram("deberta_queue_duration_seconds",
                   "Waiting of a call for its first batch.");
  Family<Histogram>& compute = AddHistogram(
      "deberta_compute_duration_seconds", "Batches that held a call's inputs.");
  Family<Histogram>& batch_sequences =
      AddHistogram("deberta_batch_inputs", "Sequences computed together.");
  Family<Histogram>& batch_tokens =
      AddHistogram("deberta_batch_tokens", "Tokens computed together.");
  Family<prometheus::Gauge>& load_seconds =
      AddGauge("deberta_model_load_seconds", "Time it took to load the model.");
  Family<prometheus::Gauge>& model_bytes = AddGauge(
      "deberta_model_bytes", "Memory of the model's weights and tables.");
  Family<prometheus::Gauge>& precision_info =
      AddGauge("deberta_model_precision_info",
               "Always 1; the labels are the precision that was asked for and "
               "the one that is served.");
  Family<prometheus::Gauge>& label_agreement =
      AddGauge("deberta_precision_label_agreement",
               "Share of calibration labels that the served precision and fp32 "
               "agree on.");
  Family<prometheus::Gauge>& max_logit_change =
      AddGauge("deberta_precision_max_logit_change",
               "Largest change of a calibration logit from fp32.");
  Family<prometheus::Gauge>& version =
      AddGauge("deberta_model_version",
               "Version of the model that is served; 0 where there are none.");
  Family<Counter>& loads = AddCounter(
      "deberta_model_loads_total",
      "Attempts to load a model of the repository, by outcome; after "
      "a failed one all is served as before.");
  Family<prometheus::Gauge>& build_info = AddGauge(
      "deberta_build_info", "Always 1; the labels describe the program.");

  // Calls that named no served model; then by number.
  ModelSeries unknown ABSL_GUARDED_BY(mutex);
  std::map<size_t, ModelSeries> models ABSL_GUARDED_BY(mutex);
  std::map<size_t, std::string> served ABSL_GUARDED_BY(mutex);
  // Gauges of served models, by the family that has them.
  std::multimap<size_t,
                std::pair<Family<prometheus::Gauge>*, prometheus::Gauge*>>
      gauges ABSL_GUARDED_BY(mutex);

  Family<Counter>& AddCounter(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  Family<Histogram>& AddHistogram(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(
        registry);
  }
  Family<prometheus::Gauge>& AddGauge(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }

  void AddRequests(const std::string& model, ModelSeries* out) {
    const auto add = [&](std::string_view method) {
      for (const absl::StatusCode code : kCodes) {
        Labels labels = Of(model, method);
        labels["code"] = absl::StatusCodeToString(code);
        out->requests[method][code] = &requests.Add(labels);
      }
    };
    for (const TaskKind task : kTaskKinds) add(TaskName(task));
    for (const std::string_view method : kOtherMethods) add(method);
  }

  void AddRejections(const std::string& model, ModelSeries* out) {
    for (const auto& [rejection, name] : kRejections) {
      out->rejected[rejection] =
          &rejected.Add({{"model", model}, {"reason", name}});
    }
  }

  MethodSeries MakeMethod(const std::string& model, std::string_view method) {
    const Labels labels = Of(model, method);
    return {.inputs = &inputs.Add(labels),
            .tokens = &tokens.Add(labels),
            .truncated = &truncated.Add(labels),
            .total = &total.Add(labels, kSeconds),
            .tokenize = &tokenize.Add(labels, kSeconds),
            .queue = &queue.Add(labels, kSeconds),
            .compute = &compute.Add(labels, kSeconds)};
  }

  ModelSeries MakeModel(const ModelDescription& told) {
    ModelSeries model;
    AddRequests(told.name, &model);
    for (const TaskKind task : told.tasks) {
      model.methods[TaskName(task)] = MakeMethod(told.name, TaskName(task));
    }
    model.methods[kTokenizeMethod] = MakeMethod(told.name, kTokenizeMethod);
    AddRejections(told.name, &model);
    AddLoads(told.name);
    const Labels labels = {{"model", told.name}};
    model.batch_sequences = &batch_sequences.Add(labels, kSequences);
    model.batch_tokens = &batch_tokens.Add(labels, kTokens);
    return model;
  }

  // The counter of loads that succeeded, or of those that failed.
  Counter* AddLoads(const std::string& name, bool loaded = true) {
    Counter* wanted = nullptr;
    for (const auto& [outcome, of] :
         {std::pair("loaded", true), std::pair("failed", false)}) {
      Counter& counter = loads.Add({{"model", name}, {"outcome", outcome}});
      if (of == loaded) wanted = &counter;
    }
    return wanted;
  }

  void AddGauges(size_t number, const ModelDescription& told)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const Labels labels = {{"model", told.name}};
    const auto add =
        [&](Family<prometheus::Gauge>& family, double value, const Labels& of)
            ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
              prometheus::Gauge& gauge = family.Add(of);
              gauge.Set(value);
              gauges.emplace(number, std::pair(&family, &gauge));
            };
    add(load_seconds, absl::ToDoubleSeconds(told.load_time), labels);
    add(model_bytes, static_cast<double>(told.resident_bytes), labels);
    add(version, static_cast<double>(told.version), labels);
    add(label_agreement, told.agreement.label_agreement(), labels);
    add(max_logit_change, told.agreement.max_logit_change, labels);
    add(precision_info, 1,
        {{"model", told.name},
         {"requested", told.requested_precision},
         {"precision", told.precision}});
  }

  void RemoveGauges(size_t number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const auto [begin, end] = gauges.equal_range(number);
    for (auto it = begin; it != end; ++it)
      it->second.first->Remove(it->second.second);
    gauges.erase(begin, end);
  }
};

Metrics::Metrics(const BuildInfo& build) : series_(new Series) {
  series_->build_info
      .Add({{"version", build.version},
            {"onednn", build.onednn},
            {"isa", build.isa}})
      .Set(1);
  const MutexLock lock(&series_->mutex);
  series_->AddRequests("", &series_->unknown);
  series_->AddRejections("", &series_->unknown);
}

Metrics::~Metrics() = default;

void Metrics::WatchInflight(std::function<size_t()> inflight) {
  series_->process = std::make_unique<ProcessCollector>(std::move(inflight));
}

void Metrics::WatchConnections(const ConnectionCounts* counts) {
  series_->connections = std::make_unique<ConnectionCollector>(counts);
}

void Metrics::WatchCounter(std::string name, std::string help,
                           std::function<double()> count) {
  series_->watched.Add(std::move(name), std::move(help),
                       prometheus::MetricType::Counter, std::move(count));
}

void Metrics::WatchGauge(std::string name, std::string help,
                         std::function<double()> value) {
  series_->watched.Add(std::move(name), std::move(help),
                       prometheus::MetricType::Gauge, std::move(value));
}

void Metrics::WatchBacklog(std::function<Backlog(size_t number)> backlog) {
  const MutexLock lock(&series_->mutex);
  series_->backlog = std::move(backlog);
}

void Metrics::AddModel(size_t number, const ModelDescription& model) {
  const MutexLock lock(&series_->mutex);
  series_->RemoveGauges(number);
  series_->AddGauges(number, model);
  series_->models[number] = series_->MakeModel(model);
  series_->served[number] = model.name;
}

void Metrics::RemoveModel(size_t number) {
  const MutexLock lock(&series_->mutex);
  series_->RemoveGauges(number);
  series_->served.erase(number);
}

void Metrics::RecordLoad(const std::string& name, bool loaded) {
  const MutexLock lock(&series_->mutex);
  series_->AddLoads(name, loaded)->Increment();
}

void Metrics::RecordRequest(const RequestReport& report) {
  const MutexLock lock(&series_->mutex);
  ModelSeries& model = report.model.has_value() ? series_->models[*report.model]
                                                : series_->unknown;
  model.requests[report.method][report.code]->Increment();
  if (report.rejection.has_value())
    model.rejected[*report.rejection]->Increment();
  const auto found = model.methods.find(report.method);
  if (found == model.methods.end()) return;
  MethodSeries& method = found->second;
  Observe(method.total, report.total);
  Observe(method.tokenize, report.tokenize);
  Observe(method.queue, report.queue);
  Observe(method.compute, report.compute);
  if (!report.accepted) return;
  method.inputs->Increment(static_cast<double>(report.inputs));
  method.tokens->Increment(static_cast<double>(report.tokens));
  method.truncated->Increment(static_cast<double>(report.truncated_inputs));
}

void Metrics::RecordBatch(size_t model, size_t sequences, size_t tokens) {
  const MutexLock lock(&series_->mutex);
  const auto found = series_->models.find(model);
  // A batch of a model's proofs, which is not served yet.
  if (found == series_->models.end()) return;
  found->second.batch_sequences->Observe(static_cast<double>(sequences));
  found->second.batch_tokens->Observe(static_cast<double>(tokens));
}

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families = series_->registry.Collect();
  const auto append = [&](const prometheus::Collectable& collectable) {
    for (prometheus::MetricFamily& family : collectable.Collect())
      families.push_back(std::move(family));
  };
  append(*series_->process);
  if (series_->connections != nullptr) append(*series_->connections);
  append(series_->watched);
  {
    const MutexLock lock(&series_->mutex);
    if (series_->backlog != nullptr) {
      for (prometheus::MetricFamily& family :
           Backlogs(series_->served, series_->backlog)) {
        families.push_back(std::move(family));
      }
    }
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace deberta::server
