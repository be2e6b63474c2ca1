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
#include "server/base/cgroup_limits.h"
#include "server/base/clock.h"
#include "server/base/descriptor_limit.h"
#include "server/base/log.h"
#include "server/base/memory_guard.h"
#include "server/base/memory_trim.h"
#include "server/base/process.h"
#include "server/base/reload_signal.h"
#include "server/base/sampler.h"
#include "server/base/shutdown_signal.h"
#include "server/base/thrown.h"
#include "server/call_log.h"
#include "server/call_tracer.h"
#include "server/engine.h"
#include "server/inference/inference_service.h"
#include "server/machine_report.h"
#include "server/memory_plan.h"
#include "server/metrics.h"
#include "server/metrics_port.h"
#include "server/model_host.h"
#include "server/options.h"
#include "server/repository.h"
#include "server/rpc/listener.h"
#include "server/rpc/service.h"
#include "server/security/authenticator.h"
#include "server/security/exposure.h"

namespace deberta::server {
namespace {

// How long clients have to hear that they are to go elsewhere.
constexpr absl::Duration kLeaving = absl::Seconds(2);
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

// Both block their signals in the threads of the other.
struct Signals {
  ReloadSignal reload;
  ShutdownSignal shutdown;
};

// The libraries' own lines are not JSON, and repeat what the server reports.
void SilenceLibraries() {
  gpr_set_log_function([](gpr_log_func_args* line) {
    // What gRPC says before it aborts.
    const std::string_view text = line->message;
    if (text.starts_with("assertion failed")) NoteForAbort(text);
  });
  google::protobuf::SetLogHandler(nullptr);
}

// Sends clients away, refuses new calls, finishes those inside by `deadline`,
// and closes the port. Returns how many were not finished.
size_t Stop(absl::Time deadline, Service* service, Engine* engine,
            ModelHost* host, Listener* listener) {
  host->StopServing();
  listener->SendClientsAway(std::min(kLeaving, deadline - SteadyNow()));
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
             {"workers", int64_t{std::min(options.workers, options.threads)}},
             {"threads_per_worker",
              int64_t{std::min(options.threads_per_worker, options.threads)}}});
}

// No more connections than there are descriptors for, so that they run out for
// none of them.
void FitDescriptors(size_t limit, size_t* max_connections, Log* log) {
  constexpr size_t kForOthers = 256;  // metrics, files, threads
  constexpr size_t kOfConnection = 3;
  const size_t most = (limit - std::min(kForOthers, limit / 2)) / kOfConnection;
  if (*max_connections <= most) return;
  log->Warning(
      "fewer connections than --max_connections: the limit of open "
      "files (ulimit -n) is low",
      {{"max_connections", static_cast<int64_t>(most)},
       {"open_files", static_cast<int64_t>(limit)}});
  *max_connections = most;
}

// To whom the port is open though nobody can tell who they are.
void WarnOfOpenPort(const Options& options, Log* log) {
  const bool tls = options.connections.tls.has_value();
  const bool tokens = !options.tokens_file.empty();
  if (!IsExposed({.address = options.listen, .tls = tls, .tokens = tokens}))
    return;
  log->Warning("others than this machine reach the port",
               {{"grpc", options.listen.ToString()},
                {"tls", tls ? "yes" : "none: what they send can be read"},
                {"tokens", tokens ? "asked for" : "none: anyone is served"}});
}

// Large blocks are the system's again as soon as they are free; by default the
// allocator keeps more of them the larger they were.
void GiveLargeBlocksBack() {
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

Listener::Options ListenerOptions(const Options& options, PeerTable* peers,
                                  ConnectionCounts* counts, Log* log) {
  const ConnectionOptions& connections = options.connections;
  return {.address = options.listen,
          .health_address = connections.health_listen,
          .tls = connections.tls,
          .reflection = connections.reflection,
          .limits = {.max_request_bytes = options.max_request_bytes,
                     .transport_bytes = options.transport_bytes,
                     .allow_compression = connections.allow_compression,
                     .max_streams =
                         static_cast<int>(connections.limits.max_streams),
                     .max_connection_metadata_bytes = static_cast<int>(
                         connections.limits.max_header_block_bytes),
                     .max_connection_idle = connections.max_idle,
                     .max_connection_age = connections.max_age,
                     .max_connection_age_grace = connections.max_age_grace},
          .connections = connections.limits,
          .peers = peers,
          .counts = counts,
          .log = log};
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

int SayStopped(size_t left, Log* log) {
  if (left == 0) {
    log->Info("stopped");
    return 0;
  }
  log->Error("stopped; some calls were not finished in time",
             {{"calls_left", static_cast<int64_t>(left)}});
  return kCallsLeft;
}

// From the engine's models to the end of the drain. Returns the exit code.
absl::StatusOr<int> ServeModels(const Options& options, Service* service,
                                Engine* engine, const MemoryGuard& memory,
                                Metrics* metrics, Listener* listener,
                                Signals* signals, Log* log) {
  ModelHost host(options, engine, metrics, listener, log);
  Repository repository(options.model_repository, &host, log);
  const bool has_repository = !options.model_repository.empty();
  if (has_repository) {
    if (absl::Status s = repository.Look(/*settled=*/true); !s.ok()) return s;
  }
  const absl::StatusOr<MemoryPlan> plan =
      PlanMemory(options, engine->catalog()->models());
  if (!plan.ok()) return plan.status();
  ReportMemory(*plan, &memory, service, metrics, log);

  signals->shutdown.Arm();
  service->Serve(&engine->live_catalog(), &engine->scheduler(), plan->requests);
  host.StartServing(plan->ForModels());
  if (has_repository) {
    signals->reload.Watch([&repository] { repository.Reload(); });
    repository.Start(options.repository_poll);
  }
  log->Info(
      "serving",
      {{"models", static_cast<int64_t>(engine->catalog()->models().size())}});

  const int signal = signals->shutdown.Wait();
  log->Info("shutting down", {{"signal", int64_t{signal}}});
  signals->reload.Clear();
  const bool idle = repository.Stop();
  const size_t left =
      Stop(SteadyNow() + options.drain_time, service, engine, &host, listener);
  const int code = SayStopped(left, log);
  // A load that is under way may take minutes yet, and nobody waits for it.
  if (!idle) {
    log->Flush(absl::Seconds(1));
    signals->shutdown.Exit(code);
  }
  return code;
}

// Everything from the open port to its closing. Returns the exit code.
absl::StatusOr<int> Serve(Options options, size_t descriptors, Signals* signals,
                          Log* log) {
  FitDescriptors(descriptors, &options.connections.limits.max_connections, log);
  Metrics metrics({.version = DEBERTA_VERSION,
                   .onednn = DEBERTA_ONEDNN_VERSION,
                   .isa = std::string(model::IsaName(model::WidestIsa()))});
  PeerTable peers;
  ConnectionCounts connections;
  metrics.WatchConnections(&connections);
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
  const Cgroup cgroup(options.cgroup_root);
  const MemoryGuard memory([cgroup] { return cgroup.Memory(); });
  Service service(
      {.max_call_time = options.max_call_time,
       .memory = &memory,
       .large_call_threads = std::max(1, options.threads / 2),
       .authenticator = tokens->get(),
       .peers = &peers,
       .max_metadata_bytes =
           static_cast<size_t>(options.connections.max_metadata_bytes),
       .max_request_bytes = static_cast<size_t>(options.max_request_bytes),
       .max_send_time = options.connections.limits.stall_time,
       .counts = &connections,
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
      StartMetrics(options, metrics, &signals->shutdown);
  if (!metrics_port.ok()) return metrics_port.status();
  InferenceService inference(DEBERTA_VERSION, &service);
  Listener::Options listening =
      ListenerOptions(options, &peers, &connections, log);
  listening.others = {{InferenceService::kName, &inference}};
  absl::StatusOr<std::unique_ptr<Listener>> listener =
      Listener::Start(listening, &service);
  if (!listener.ok()) return listener.status();
  for (const SocketFile& file : (*listener)->files())
    signals->shutdown.RemoveAtExit(file);
  LogListening(options, (*listener)->port(),
               *metrics_port == nullptr ? 0 : (*metrics_port)->port(), log);
  WarnOfOpenPort(options, log);

  absl::StatusOr<std::unique_ptr<Engine>> loaded = Engine::Load(
      options,
      [&metrics](const Scheduler::BatchReport& report) {
        metrics.RecordBatch(report.queue, report.sequences, report.tokens);
      },
      log);
  if (!loaded.ok()) return loaded.status();
  engine = *std::move(loaded);
  metrics.WatchBacklog([&engine](size_t model) {
    return Metrics::Backlog{.tokens = engine->queued_tokens(model),
                            .seconds = engine->queued_seconds(model)};
  });
  const std::unique_ptr<CpuWatch> cpus =
      FollowCpus(cgroup, options.cpus, engine.get(), &metrics, log);
  const MemoryTrim trim;
  return ServeModels(options, &service, engine.get(), memory, &metrics,
                     listener->get(), signals, log);
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
  const size_t descriptors = RaiseDescriptorLimit();
  if (absl::Status s = CheckLimits(ThreadsOf(options)); !s.ok())
    return CannotStart(s);
  Signals signals;
  Log log(STDERR_FILENO);
  const absl::StatusOr<int> code =
      Guarded([&] { return Serve(options, descriptors, &signals, &log); });
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
  signal(SIGXFSZ, SIG_IGN);  // of a log that has reached its limit (ulimit -f)
  SayWhyOnAbort();
  absl::StatusOr<Options> options = ParseOptions(argc, argv);
  if (!options.ok()) return CannotStart(options.status());
  options->loading.hdf5_reader = deberta::model::Hdf5ReaderBesideProgram();
  SilenceLibraries();
  GiveLargeBlocksBack();
  GiveUpPrivileges();
  return Run(*options);
}
