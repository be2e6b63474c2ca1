// A service on an in-process channel, over a stand-in for the models whose
// batches a test can hold.

#ifndef TESTS_SERVER_RPC_TEST_SERVER_H_
#define TESTS_SERVER_RPC_TEST_SERVER_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "deberta/v1/deberta.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "grpcpp/grpcpp.h"
#include "server/rpc/listener.h"
#include "server/rpc/service.h"
#include "tokenizer/tokenizer.h"

namespace deberta::server {

// Classifier "labels" (2 labels), "tagger", "reader" and "filler", all with the
// golden v1 tokenizer and at most 32 tokens. Logit 0 of a row is the number of
// tokens of its sequence, all others are 0; hidden states are 1.
class TestServer {
 public:
  struct Settings {
    size_t max_batch_tokens = 64;
    size_t max_queue_tokens = 256;
    absl::Duration max_call_time = absl::Seconds(60);
    bool second_classifier = false;
    // Also "judge" (labels ENTAILMENT, OTHER) and the multiple choice model
    // "chooser".
    bool judge = false;
    // Also "extractor", a GLiNER model that finds each word with the label of
    // its place, from the first again after the last, and "ranker" (one label).
    bool extractor = false;
    // Also "schemer", a GLiNER2 model that counts one instance and finds each
    // word with the label of its place, and reads at most 200 tokens.
    bool schemer = false;
    // Of "tagger"; its queue in fp32, if it keeps that, is the last.
    std::string tagger_precision = "fp32";
    bool keep_fp32 = false;
    bool serve = true;
    const Authenticator* authenticator = nullptr;
    // Makes services that the listener has beside the service; none: none.
    std::function<Listener::Services(Service*)> others = nullptr;
    // Called as the last of each batch, on the thread that computes it.
    std::function<void()> after_batch = [] {};
    // Called as the first of each report.
    std::function<void()> before_report = [] {};
  };
  static constexpr int64_t kHiddenSize = 4;
  static constexpr size_t kMaxTokens = 32;
  static constexpr size_t kMaxGroupTokens = 200;

  TestServer() : TestServer(Settings()) {}
  explicit TestServer(const Settings& settings);
  // Lets held batches go.
  ~TestServer();

  v1::DebertaService::Stub& stub() { return *stub_; }
  Service& service() { return *service_; }
  Scheduler& scheduler() { return *scheduler_; }
  Listener& listener() { return *listener_; }

  void Serve() { service_->Serve(&catalog_, scheduler_.get()); }

  // Batches from now on wait until Release().
  void Hold();
  void Release();
  // Until a batch waits.
  void WaitUntilHeld();
  int batches() const;
  // Queue of the last batch.
  size_t last_queue() const;

  std::vector<RequestReport> reports() const;
  // Until `count` reports have come.
  void WaitForReports(size_t count) const;

 private:
  // `widths`: logits of a row of each queue.
  void StartScheduler(const Settings& settings,
                      const std::vector<size_t>& widths);
  void StartService(const Settings& settings);
  absl::Status RunBatch(size_t queue, const model::RaggedBatch& batch,
                        size_t logit_width, model::BatchOutput* output);
  std::vector<float> WordLogits(const model::WordReading& reading) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool hold_ = false;
  int held_ = 0;
  int batches_ = 0;
  size_t last_queue_ = 0;
  std::vector<RequestReport> reports_;

  std::unique_ptr<const tokenizer::Tokenizer> tokenizer_;
  std::vector<std::unique_ptr<model::Config>> configs_;
  model::LabelHead label_head_;
  model::LabelHead group_head_;
  LiveCatalog catalog_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<v1::DebertaService::Stub> stub_;
};

v1::ClassifyRequest ClassifyText(const std::string& text);

// The details of a status; empty messages where it has none.
struct ErrorDetails {
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  google::rpc::RetryInfo retry;
  bool has_retry = false;
  // The field of the only violation, or "".
  std::string field() const;
};
ErrorDetails DetailsOf(const grpc::Status& status);

}  // namespace deberta::server

#endif  // TESTS_SERVER_RPC_TEST_SERVER_H_
