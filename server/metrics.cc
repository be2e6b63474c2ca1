#include "server/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

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
                               absl::StatusCode::kInternal};

constexpr std::array<std::pair<Rejection, const char*>, 4> kRejections = {{
    {Rejection::kQueueFull, "queue_full"},
    {Rejection::kMemoryFull, "memory_full"},
    {Rejection::kTooLarge, "too_large"},
    {Rejection::kDraining, "draining"},
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
                                      kGetModelMethod};

Labels Of(const std::string& model, std::string_view method) {
  return {{"model", model}, {"task", std::string(method)}};
}

prometheus::MetricFamily OneValue(const char* name, const char* help,
                                  prometheus::MetricType type, double value) {
  prometheus::MetricFamily family = {name, help, type, {{}}};
  if (type == prometheus::MetricType::Counter) {
    family.metric[0].counter.value = value;
  } else {
    family.metric[0].gauge.value = value;
  }
  return family;
}

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double CpuSeconds() {
  timespec spent = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) +
         static_cast<double>(spent.tv_nsec) * 1e-9;
}

class ProcessCollector : public prometheus::Collectable {
 public:
  explicit ProcessCollector(std::function<size_t()> inflight)
      : inflight_(std::move(inflight)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    return {OneValue("process_resident_memory_bytes",
                     "Physical memory that the process holds, mapped files "
                     "included.",
                     prometheus::MetricType::Gauge, ResidentBytes()),
            OneValue("process_cpu_seconds_total",
                     "CPU time that the process has used.",
                     prometheus::MetricType::Counter, CpuSeconds()),
            OneValue("deberta_inflight_requests",
                     "Requests that are accepted and not yet answered.",
                     prometheus::MetricType::Gauge,
                     static_cast<double>(inflight_()))};
  }

 private:
  const std::function<size_t()> inflight_;
};

class ConnectionCollector : public prometheus::Collectable {
 public:
  explicit ConnectionCollector(const ConnectionCounts* counts)
      : counts_(*counts) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    prometheus::MetricFamily closed = {"deberta_connections_closed_total",
                                       "Connections that have ended, by why.",
                                       prometheus::MetricType::Counter,
                                       {}};
    for (size_t i = 0; i < kCloseReasons; ++i) {
      closed.metric.push_back(Counted(
          CloseReasonName(static_cast<CloseReason>(i)), counts_.closed[i]));
    }
    prometheus::MetricFamily limited = {
        "deberta_calls_limited_total",
        "Calls that were ended by a limit of what a call may do to its "
        "connection.",
        prometheus::MetricType::Counter,
        {}};
    for (size_t i = 0; i < kCallLimits; ++i) {
      limited.metric.push_back(Counted(CallLimitName(static_cast<CallLimit>(i)),
                                       counts_.limited[i]));
    }
    return {OneValue("deberta_connections", "Connections that are open.",
                     prometheus::MetricType::Gauge,
                     static_cast<double>(counts_.open)),
            closed, limited};
  }

 private:
  static prometheus::ClientMetric Counted(std::string_view reason,
                                          int64_t count) {
    prometheus::ClientMetric metric;
    metric.label = {{"reason", std::string(reason)}};
    metric.counter.value = static_cast<double>(count);
    return metric;
  }

  const ConnectionCounts& counts_;
};

class BacklogCollector : public prometheus::Collectable {
 public:
  BacklogCollector(std::vector<std::string> models,
                   std::function<Metrics::Backlog(size_t)> backlog)
      : models_(std::move(models)), backlog_(std::move(backlog)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    prometheus::MetricFamily tokens = {"deberta_queue_tokens",
                                       "Tokens that wait to be computed.",
                                       prometheus::MetricType::Gauge,
                                       {}};
    prometheus::MetricFamily seconds = {
        "deberta_queue_seconds",
        "Predicted time to compute the tokens that wait.",
        prometheus::MetricType::Gauge,
        {}};
    for (size_t i = 0; i < models_.size(); ++i) {
      const Metrics::Backlog backlog = backlog_(i);
      prometheus::ClientMetric metric;
      metric.label = {{"model", models_[i]}};
      metric.gauge.value = static_cast<double>(backlog.tokens);
      tokens.metric.push_back(metric);
      metric.gauge.value = backlog.seconds;
      seconds.metric.push_back(metric);
    }
    return {tokens, seconds};
  }

 private:
  const std::vector<std::string> models_;
  const std::function<Metrics::Backlog(size_t)> backlog_;
};

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
  mutable Mutex mutex;
  // Null until there are models.
  std::unique_ptr<BacklogCollector> backlog ABSL_GUARDED_BY(mutex);

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
  Family<Counter>& rejected = AddCounter("deberta_rejected_total",
                                         "Valid calls that were turned away.");
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
  Family<prometheus::Gauge>& model_bytes =
      AddGauge("deberta_model_bytes",
               "Memory of the model's weights and tables, mapped files "
               "included.");
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
  Family<prometheus::Gauge>& build_info = AddGauge(
      "deberta_build_info", "Always 1; the labels describe the program.");

  // Calls that named no served model; then one a model.
  ModelSeries unknown;
  std::vector<ModelSeries> models;

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
    for (const auto& [rejection, name] : kRejections) {
      model.rejected[rejection] =
          &rejected.Add({{"model", told.name}, {"reason", name}});
    }
    const Labels labels = {{"model", told.name}};
    model.batch_sequences = &batch_sequences.Add(labels, kSequences);
    model.batch_tokens = &batch_tokens.Add(labels, kTokens);
    load_seconds.Add(labels).Set(absl::ToDoubleSeconds(told.load_time));
    model_bytes.Add(labels).Set(static_cast<double>(told.resident_bytes));
    AddPrecision(told);
    return model;
  }

  void AddPrecision(const ModelDescription& told) {
    const Labels labels = {{"model", told.name}};
    label_agreement.Add(labels).Set(told.agreement.label_agreement());
    max_logit_change.Add(labels).Set(told.agreement.max_logit_change);
    precision_info
        .Add({{"model", told.name},
              {"requested", told.requested_precision},
              {"precision", told.precision}})
        .Set(1);
  }
};

Metrics::Metrics(const BuildInfo& build) : series_(new Series) {
  series_->build_info
      .Add({{"version", build.version},
            {"onednn", build.onednn},
            {"isa", build.isa}})
      .Set(1);
  series_->AddRequests("", &series_->unknown);
}

Metrics::~Metrics() = default;

void Metrics::WatchInflight(std::function<size_t()> inflight) {
  series_->process = std::make_unique<ProcessCollector>(std::move(inflight));
}

void Metrics::WatchConnections(const ConnectionCounts* counts) {
  series_->connections = std::make_unique<ConnectionCollector>(counts);
}

void Metrics::AddModels(const std::vector<ServedModel>& models,
                        std::function<Backlog(size_t model)> backlog) {
  std::vector<std::string> names;
  for (const ServedModel& model : models) {
    names.push_back(model.description.name);
    series_->models.push_back(series_->MakeModel(model.description));
  }
  const MutexLock lock(&series_->mutex);
  series_->backlog =
      std::make_unique<BacklogCollector>(std::move(names), std::move(backlog));
}

void Metrics::RecordRequest(const RequestReport& report) {
  ModelSeries& model = report.model.has_value() ? series_->models[*report.model]
                                                : series_->unknown;
  model.requests[report.method][report.code]->Increment();
  if (report.rejection.has_value() && report.model.has_value())
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
  series_->models[model].batch_sequences->Observe(
      static_cast<double>(sequences));
  series_->models[model].batch_tokens->Observe(static_cast<double>(tokens));
}

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families = series_->registry.Collect();
  const auto append = [&](const prometheus::Collectable& collectable) {
    for (prometheus::MetricFamily& family : collectable.Collect())
      families.push_back(std::move(family));
  };
  append(*series_->process);
  if (series_->connections != nullptr) append(*series_->connections);
  {
    const MutexLock lock(&series_->mutex);
    if (series_->backlog != nullptr) append(*series_->backlog);
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace deberta::server
