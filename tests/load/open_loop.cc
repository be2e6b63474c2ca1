// Asks a server at times that do not depend on its answers (open loop, Poisson
// arrivals), and says what became of the calls. One JSON object a line.
//
//   open_loop --server=127.0.0.1:50051 --rate=50 --seconds=10
//
// A good answer is one that came before its deadline. Texts have from
// --min_words to --max_words words, uniformly, or --list texts in one call; no
// two are equal.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "deberta/v1/deberta.grpc.pb.h"
#include "grpcpp/grpcpp.h"

ABSL_FLAG(std::string, server, "127.0.0.1:50051", "Host and port.");
ABSL_FLAG(std::string, model, "", "A model that classifies.");
ABSL_FLAG(double, rate, 10, "Calls a second, on average.");
ABSL_FLAG(double, seconds, 10, "How long calls are made.");
ABSL_FLAG(int, deadline_ms, 1000, "Of each call.");
ABSL_FLAG(int, min_words, 3, "Of a text.");
ABSL_FLAG(int, max_words, 500, "Of a text.");
ABSL_FLAG(int, list, 1, "Texts in a call.");
ABSL_FLAG(int, connections, 4, "That calls are spread over.");
ABSL_FLAG(uint32_t, seed, 1, "Of texts and times.");
ABSL_FLAG(std::string, priority, "", "Metadata x-deberta-priority.");
ABSL_FLAG(bool, closed, false,
          "Instead, so many --callers, each one call after another, without a "
          "deadline but a minute's.");
ABSL_FLAG(int, callers, 1, "With --closed.");

namespace {

using Clock = std::chrono::steady_clock;

double Ms(Clock::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

// Nearest rank; 0 of nothing.
double Percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const auto rank =
      static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  return values[rank];
}

class Texts {
 public:
  explicit Texts(uint32_t seed) : random_(seed) {}

  // Adds the number of its words.
  std::string Next(int* total_words) {
    static constexpr const char* kWords[] = {"the", "of",  "and", "to",
                                             "in",  "is",  "it",  "for",
                                             "on",  "was", "as",  "at"};
    const int least = absl::GetFlag(FLAGS_min_words);
    std::uniform_int_distribution<int> length(
        least, std::max(least, absl::GetFlag(FLAGS_max_words)));
    std::string text;
    int words = length(random_);
    *total_words += words;
    for (; words > 0; --words) {
      text += kWords[random_() % std::size(kWords)];
      text += ' ';
    }
    return text;
  }
  std::mt19937& random() { return random_; }

 private:
  std::mt19937 random_;
};

// What became of the calls.
class Outcomes {
 public:
  void Add(grpc::StatusCode code, double ms, int words) {
    const std::lock_guard lock(mutex_);
    ++codes_[code];
    if (code == grpc::OK) {
      answered_.push_back(ms);
      answered_words_ += words;
    }
    if (code == grpc::RESOURCE_EXHAUSTED) refused_.push_back(ms);
  }
  void Print(double seconds, double behind_ms) {
    const std::lock_guard lock(mutex_);
    int calls = 0;
    std::string codes;
    for (const auto& [code, count] : codes_) {
      calls += count;
      absl::StrAppend(&codes, codes.empty() ? "" : ", ", "\"", code,
                      "\": ", count);
    }
    absl::PrintF(
        "{\"calls\": %d, \"calls_per_s\": %.2f, \"good_per_s\": %.2f, "
        "\"good_words_per_s\": %.1f, "
        "\"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f, "
        "\"refused_p50_ms\": %.2f, \"refused_p99_ms\": %.2f, "
        "\"behind_ms\": %.2f, \"codes\": {%s}}\n",
        calls, calls / seconds, static_cast<double>(answered_.size()) / seconds,
        static_cast<double>(answered_words_) / seconds,
        Percentile(answered_, 0.5), Percentile(answered_, 0.99),
        Percentile(answered_, 1), Percentile(refused_, 0.5),
        Percentile(refused_, 0.99), behind_ms, codes);
  }

 private:
  std::mutex mutex_;
  std::map<int, int> codes_;
  std::vector<double> answered_;
  int64_t answered_words_ = 0;
  std::vector<double> refused_;
};

struct OneCall {
  grpc::ClientContext context;
  deberta::v1::ClassifyRequest request;
  deberta::v1::ClassifyResponse response;
  Clock::time_point start;
  int words = 0;
};

class Load {
 public:
  Load() : texts_(absl::GetFlag(FLAGS_seed)) {
    for (int i = 0; i < absl::GetFlag(FLAGS_connections); ++i) {
      grpc::ChannelArguments arguments;
      // A connection of its own.
      arguments.SetInt("deberta.number", i);
      stubs_.push_back(
          deberta::v1::DebertaService::NewStub(grpc::CreateCustomChannel(
              absl::GetFlag(FLAGS_server), grpc::InsecureChannelCredentials(),
              arguments)));
    }
  }

  void Run() {
    const Clock::time_point begin = Clock::now();
    const double seconds = absl::GetFlag(FLAGS_seconds);
    std::exponential_distribution<double> gap(absl::GetFlag(FLAGS_rate));
    double at = 0;
    double behind = 0;
    for (;;) {
      if (!absl::GetFlag(FLAGS_closed)) {
        at += gap(texts_.random());
        const auto due = begin + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(at));
        std::this_thread::sleep_until(due);
        behind = std::max(behind, Ms(Clock::now() - due));
      }
      if (Ms(Clock::now() - begin) >= 1000 * seconds) break;
      Start();
      const int callers = absl::GetFlag(FLAGS_callers);
      while (absl::GetFlag(FLAGS_closed) && inflight_ >= callers) {
        inflight_.wait(callers);
      }
    }
    for (int left; (left = inflight_) > 0;) inflight_.wait(left);
    outcomes_.Print(Ms(Clock::now() - begin) / 1000, behind);
  }

 private:
  void Start() {
    auto call = std::make_shared<OneCall>();
    call->request.set_model(absl::GetFlag(FLAGS_model));
    for (int i = 0; i < absl::GetFlag(FLAGS_list); ++i)
      call->request.add_inputs()->set_text(texts_.Next(&call->words));
    const int deadline =
        absl::GetFlag(FLAGS_closed) ? 60000 : absl::GetFlag(FLAGS_deadline_ms);
    call->context.set_deadline(std::chrono::system_clock::now() +
                               std::chrono::milliseconds(deadline));
    if (const std::string p = absl::GetFlag(FLAGS_priority); !p.empty())
      call->context.AddMetadata("x-deberta-priority", p);
    call->start = Clock::now();
    ++inflight_;
    stubs_[next_++ % stubs_.size()]->async()->Classify(
        &call->context, &call->request, &call->response,
        [this, call](const grpc::Status& status) {
          outcomes_.Add(status.error_code(), Ms(Clock::now() - call->start),
                        call->words);
          --inflight_;
          inflight_.notify_all();
        });
  }

  Texts texts_;
  std::vector<std::unique_ptr<deberta::v1::DebertaService::Stub>> stubs_;
  size_t next_ = 0;
  std::atomic<int> inflight_ = 0;
  Outcomes outcomes_;
};

}  // namespace

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  Load().Run();
  return 0;
}
