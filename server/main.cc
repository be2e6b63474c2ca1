// deberta-server: options -> metrics -> listen -> load -> serve -> drain.

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <malloc.h>
#include <signal.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "model/checkpoint/hdf5.h"
#include "model/runtime/isa.h"
#include "server/base/bus_error.h"
#include "server/base/clock.h"
#include "server/base/descriptor_limit.h"
#include "server/base/log.h"
#include "server/base/memory_trim.h"
#include "server/base/shutdown_signal.h"
#include "server/engine.h"
#include "server/metrics.h"
#include "server/metrics_port.h"
#include "server/options.h"
#include "server/rpc/listener.h"
#include "server/rpc/service.h"

namespace deberta::server {
namespace {

// How long callers are still told UNAVAILABLE when all work is done. A call
// that meets gRPC's own shutdown would end with CANCELLED, which callers do not
// retry; those that were answered last are likely to call again at once.
constexpr absl::Duration kFarewell = absl::Milliseconds(500);
// For calls that only watch, such as health, after that.
constexpr absl::Duration kCloseGrace = absl::Milliseconds(200);

// The libraries' own lines are not JSON, and repeat what the server reports.
void SilenceLibraries() {
  gpr_set_log_function([](gpr_log_func_args*) {});
  google::protobuf::SetLogHandler(nullptr);
}

// Refuses new calls, finishes those inside by `deadline`, and closes the port.
void Stop(absl::Time deadline, Service* service, Engine* engine,
          Listener* listener, Log* log) {
  listener->SetServing(false);
  const bool drained = service->Drain(deadline);
  engine->scheduler().Drain(deadline);
  absl::SleepFor(kFarewell);
  listener->Stop(kCloseGrace);
  if (drained) {
    log->Info("stopped");
  } else {
    log->Warning("stopped; some calls were not finished in time");
  }
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
             {"metrics", WithPort(options.metrics_listen, metrics_port)},
             {"grpc_port", int64_t{grpc_port}},
             {"metrics_port", int64_t{metrics_port}},
             {"threads", int64_t{options.threads}},
             {"workers", int64_t{options.workers}},
             {"threads_per_worker", int64_t{options.threads_per_worker}}});
}

// With fewer, gRPC aborts, or fails without a reason.
absl::Status CheckDescriptors(size_t limit) {
  constexpr size_t kLeast = 64;
  if (limit >= kLeast) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("Too many open files: expected a limit (ulimit -n) of at "
                   "least ",
                   kLeast, ", it is ", limit));
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
  if (options.connections.tls.has_value() || IsLocal(options.listen)) return;
  log->Warning(
      "anyone who reaches this address is served, and what they send "
      "can be read on the way: it has no TLS",
      {{"grpc", options.listen.ToString()}});
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

// Everything from the open port to its closing.
absl::Status Serve(Options options, ShutdownSignal* shutdown, Log* log) {
  const size_t descriptors = RaiseDescriptorLimit();
  if (absl::Status s = CheckDescriptors(descriptors); !s.ok()) return s;
  FitDescriptors(descriptors, &options.connections.limits.max_connections, log);
  Metrics metrics({.version = DEBERTA_VERSION,
                   .onednn = DEBERTA_ONEDNN_VERSION,
                   .isa = std::string(model::IsaName(model::WidestIsa()))});
  PeerTable peers;
  ConnectionCounts connections;
  metrics.WatchConnections(&connections);
  Service service(
      {.max_call_time = options.max_call_time,
       .max_inflight_bytes = options.max_inflight_bytes,
       .large_call_threads = std::max(1, options.threads / 2),
       .max_metadata_bytes =
           static_cast<size_t>(options.connections.max_metadata_bytes),
       .max_request_bytes = static_cast<size_t>(options.max_request_bytes),
       .max_send_time = options.connections.limits.stall_time,
       .counts = &connections,
       .observer = [&](const RequestReport& report) {
         metrics.RecordRequest(report);
         if (report.code == absl::StatusCode::kInternal) {
           log->Error("request failed",
                      {{"task", report.method}, {"error", report.message}});
         }
       }});
  metrics.WatchInflight([&service] { return service.inflight(); });
  std::unique_ptr<Engine> engine;  // outlives every call and scrape
  const absl::StatusOr<std::unique_ptr<MetricsPort>> metrics_port =
      MetricsPort::Start(options.metrics_listen,
                         [&metrics] { return metrics.Text(); });
  if (!metrics_port.ok()) return metrics_port.status();
  shutdown->RemoveAtExit((*metrics_port)->file());
  absl::StatusOr<std::unique_ptr<Listener>> listener = Listener::Start(
      ListenerOptions(options, &peers, &connections, log), &service);
  if (!listener.ok()) return listener.status();
  for (const SocketFile& file : (*listener)->files())
    shutdown->RemoveAtExit(file);
  LogListening(options, (*listener)->port(), (*metrics_port)->port(), log);
  WarnOfOpenPort(options, log);

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

  const MemoryTrim trim;
  shutdown->Arm();
  service.Serve(&engine->catalog(), &engine->scheduler());
  (*listener)->SetServing(true);
  log->Info("serving",
            {{"models", static_cast<int64_t>(options.models.size())}});

  const int signal = shutdown->Wait();
  log->Info("shutting down", {{"signal", int64_t{signal}}});
  Stop(SteadyNow() + options.drain_time, &service, engine.get(),
       listener->get(), log);
  return absl::OkStatus();
}

}  // namespace
}  // namespace deberta::server

int main(int argc, char** argv) {
  using namespace deberta::server;
  absl::StatusOr<Options> options = ParseOptions(argc, argv);
  if (!options.ok()) {
    std::fprintf(stderr, "deberta-server: %s\n",
                 std::string(options.status().message()).c_str());
    return 1;
  }
  options->loading.hdf5_reader = deberta::model::Hdf5ReaderBesideProgram();
  signal(SIGPIPE, SIG_IGN);
  NameFileOnBusError();
  SilenceLibraries();
  GiveLargeBlocksBack();
  ShutdownSignal shutdown;
  Log log(stderr);
  if (const absl::Status status = Serve(*options, &shutdown, &log);
      !status.ok()) {
    log.Error("cannot start", {{"error", std::string(status.message())}});
    return 1;
  }
  return 0;
}
