// deberta-server: options -> metrics -> listen -> load -> serve -> drain.

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/time/clock.h"
#include "model/checkpoint/hdf5.h"
#include "model/runtime/isa.h"
#include "server/base/bus_error.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/process.h"
#include "server/base/sampler.h"
#include "server/base/shutdown_signal.h"
#include "server/base/thrown.h"
#include "server/call_log.h"
#include "server/call_tracer.h"
#include "server/engine.h"
#include "server/metrics.h"
#include "server/metrics_port.h"
#include "server/options.h"
#include "server/rpc/listener.h"
#include "server/rpc/service.h"
#include "server/security/authenticator.h"
#include "server/security/exposure.h"

namespace deberta::server {
namespace {

// How long callers are still told UNAVAILABLE when all work is done. A call
// that meets gRPC's own shutdown would end with CANCELLED, which callers do not
// retry; those that were answered last are likely to call again at once.
constexpr absl::Duration kFarewell = absl::Milliseconds(500);
// The exit code of a drain that ran out of time.
constexpr int kCallsLeft = 3;
// How often --tokens_file is looked at.
constexpr absl::Duration kTokensInterval = absl::Seconds(1);
// For calls that only watch, such as health, after that.
constexpr absl::Duration kCloseGrace = absl::Milliseconds(200);

// The libraries' own lines are not JSON, and repeat what the server reports.
void SilenceLibraries() {
  gpr_set_log_function([](gpr_log_func_args* line) {
    // What gRPC says before it aborts.
    const std::string_view text = line->message;
    if (text.starts_with("assertion failed")) NoteForAbort(text);
  });
  google::protobuf::SetLogHandler(nullptr);
}

// Refuses new calls, finishes those inside by `deadline`, and closes the port.
// Returns how many were not finished.
size_t Stop(absl::Time deadline, Service* service, Engine* engine,
            Listener* listener) {
  listener->SetServing(false);
  const bool drained = service->Drain(deadline);
  // One whose answer is not sent is not finished either.
  const size_t left = drained ? 0 : std::max<size_t>(1, service->inflight());
  engine->scheduler().Drain(deadline);
  absl::SleepFor(kFarewell);
  listener->Stop(kCloseGrace);
  return left;
}

// The address with the port that was chosen, where any was asked for.
std::string WithPort(Address address, int port) {
  address.port = port;
  return address.ToString();
}

void LogListening(const Options& options, int grpc_port, int metrics_port,
                  Log* log) {
  log->Info("listening",
            {{"grpc", WithPort(options.listen, grpc_port)},
             {"metrics", options.metrics_listen.has_value()
                             ? WithPort(*options.metrics_listen, metrics_port)
                             : ""},
             {"grpc_port", int64_t{grpc_port}},
             {"metrics_port", int64_t{metrics_port}},
             {"threads", int64_t{options.threads}},
             {"workers", int64_t{options.workers}},
             {"threads_per_worker", int64_t{options.threads_per_worker}}});
}

// Large blocks are the system's again as soon as they are free; by default the
// allocator keeps more of them the larger they were.
void GiveLargeBlocksBack() {
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

// None where --metrics_listen is empty.
absl::StatusOr<std::unique_ptr<MetricsPort>> StartMetrics(
    const Options& options, const Metrics& metrics, ShutdownSignal* shutdown) {
  if (!options.metrics_listen.has_value()) return nullptr;
  auto port = MetricsPort::Start(*options.metrics_listen,
                                 [&metrics] { return metrics.Text(); });
  if (port.ok()) shutdown->RemoveAtExit((*port)->file());
  return port;
}

// None where anyone may call.
absl::StatusOr<std::unique_ptr<Authenticator>> OpenTokens(
    const Options& options, Log* log) {
  if (options.tokens_file.empty()) return nullptr;
  return Authenticator::Open(
      options.tokens_file, kTokensInterval,
      [log](const absl::Status& status, size_t accounts) {
        if (status.ok()) {
          log->Info("tokens read again",
                    {{"accounts", static_cast<int64_t>(accounts)}});
        } else {
          log->Error("tokens stay as they were",
                     {{"error", std::string(status.message())}});
        }
      });
}

// Everything from the open port to its closing. Returns the exit code.
absl::StatusOr<int> Serve(const Options& options, ShutdownSignal* shutdown,
                          Log* log) {
  Metrics metrics({.version = DEBERTA_VERSION,
                   .onednn = DEBERTA_ONEDNN_VERSION,
                   .isa = std::string(model::IsaName(model::WidestIsa()))});
  const absl::StatusOr<std::unique_ptr<Authenticator>> tokens =
      OpenTokens(options, log);
  if (!tokens.ok()) return tokens.status();
  const absl::StatusOr<std::unique_ptr<CallTracer>> tracer =
      CallTracer::Start({.url = options.otlp_url,
                         .share = options.trace_share,
                         .version = DEBERTA_VERSION},
                        log);
  if (!tracer.ok()) return tracer.status();
  Sampler logged(options.log_calls);
  Service service(
      {.max_call_time = options.max_call_time,
       .max_inflight_bytes = options.max_inflight_bytes,
       .large_call_threads = std::max(1, options.threads / 2),
       .authenticator = tokens->get(),
       .observer = [&](const RequestReport& report) {
         metrics.RecordRequest(report);
         if (logged.Take()) LogCall(report, log);
         (*tracer)->Record(report);
         if (report.code == absl::StatusCode::kInternal) {
           log->Error("request failed",
                      {{"task", report.method}, {"error", report.message}});
         }
       }});
  metrics.WatchInflight([&service] { return service.inflight(); });
  metrics.WatchCounter("deberta_log_lines_dropped_total",
                       "Lines that the log had no room for.",
                       [log] { return log->dropped_lines(); });
  metrics.WatchCounter("deberta_spans_exported_total",
                       "Spans that the collector took.",
                       [&] { return (*tracer)->exported(); });
  metrics.WatchCounter("deberta_spans_dropped_total",
                       "Spans that found no room or that it did not take.",
                       [&] { return (*tracer)->dropped(); });
  std::unique_ptr<Engine> engine;  // outlives every call and scrape
  const absl::StatusOr<std::unique_ptr<MetricsPort>> metrics_port =
      StartMetrics(options, metrics, shutdown);
  if (!metrics_port.ok()) return metrics_port.status();
  absl::StatusOr<std::unique_ptr<Listener>> listener =
      Listener::Start({.address = options.listen,
                       .max_request_bytes = options.max_request_bytes},
                      &service);
  if (!listener.ok()) return listener.status();
  shutdown->RemoveAtExit((*listener)->file());
  LogListening(options, (*listener)->port(),
               *metrics_port == nullptr ? 0 : (*metrics_port)->port(), log);

  if (IsExposed({.address = options.listen,
                 .tls = false,
                 .tokens = *tokens != nullptr})) {
    log->Warning("others than this machine reach the port, which has no TLS",
                 {{"tokens", *tokens == nullptr ? "none" : "asked for"}});
  }

  absl::StatusOr<std::unique_ptr<Engine>> loaded = Engine::Load(
      options,
      [&metrics](const Scheduler::BatchReport& report) {
        metrics.RecordBatch(report.queue, report.sequences, report.tokens);
      },
      log);
  if (!loaded.ok()) return loaded.status();
  engine = *std::move(loaded);
  metrics.AddModels(engine->catalog().models(), [&engine](size_t model) {
    return Metrics::Backlog{.tokens = engine->queued_tokens(model),
                            .seconds = engine->queued_seconds(model)};
  });

  shutdown->Arm();
  service.Serve(&engine->catalog(), &engine->scheduler());
  (*listener)->SetServing(true);
  log->Info("serving",
            {{"models", static_cast<int64_t>(options.models.size())}});

  const int signal = shutdown->Wait();
  log->Info("shutting down", {{"signal", int64_t{signal}}});
  const size_t left = Stop(SteadyNow() + options.drain_time, &service,
                           engine.get(), listener->get());
  if (left == 0) {
    log->Info("stopped");
    return 0;
  }
  log->Error("stopped; some calls were not finished in time",
             {{"calls_left", static_cast<int64_t>(left)}});
  return kCallsLeft;
}

int CannotStart(const absl::Status& status) {
  WriteLastLine(STDERR_FILENO, "cannot start",
                {{"error", std::string(status.message())}});
  return 1;
}

// The compute threads, those of large calls, and those of gRPC, of the metrics,
// of the log and of signals.
int ThreadsOf(const Options& options) {
  return options.threads + std::max(1, options.threads / 2) + 24;
}

int Run(const Options& options) {
  if (absl::Status s = CheckLimits(ThreadsOf(options)); !s.ok())
    return CannotStart(s);
  ShutdownSignal shutdown;
  Log log(STDERR_FILENO);
  const absl::StatusOr<int> code =
      Guarded([&] { return Serve(options, &shutdown, &log); });
  if (code.ok()) return *code;
  log.Error("cannot start", {{"error", std::string(code.status().message())}});
  return 1;
}

}  // namespace
}  // namespace deberta::server

int main(int argc, char** argv) {
  using namespace deberta::server;
  OpenStandardStreams();
  signal(SIGPIPE, SIG_IGN);
  SayWhyOnAbort();
  absl::StatusOr<Options> options = ParseOptions(argc, argv);
  if (!options.ok()) return CannotStart(options.status());
  options->loading.hdf5_reader = deberta::model::Hdf5ReaderBesideProgram();
  NameFileOnBusError();
  SilenceLibraries();
  GiveLargeBlocksBack();
  GiveUpPrivileges();
  return Run(*options);
}
