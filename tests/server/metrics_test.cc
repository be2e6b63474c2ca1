#include "server/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace deberta::server {
namespace {

using testing::HasSubstr;
using testing::Not;

class MetricsTest : public testing::Test {
 protected:
  MetricsTest() : metrics_({.version = "1.2", .onednn = "3.4", .isa = "avx2"}) {
    metrics_.WatchInflight([this] { return inflight_; });
    const Agreement agreement = {
        .labels = 200, .agreeing = 199, .max_logit_change = 0.25};
    metrics_.WatchBacklog(
        [](size_t) { return Metrics::Backlog{.tokens = 12, .seconds = 0.5}; });
    metrics_.AddModel(0, {.name = "m",
                          .tasks = {TaskKind::kClassify, TaskKind::kEncode},
                          .precision = "int8",
                          .requested_precision = "auto",
                          .agreement = agreement,
                          .resident_bytes = 4096,
                          .load_time = absl::Milliseconds(1500)});
    metrics_.AddModel(1, {.name = "fp32"});
  }

  size_t inflight_ = 3;
  Metrics metrics_;
};

RequestReport Answered() {
  RequestReport report;
  report.method = "classify";
  report.model = 0;
  report.accepted = true;
  report.inputs = 2;
  report.tokens = 30;
  report.truncated_inputs = 1;
  report.total = absl::Milliseconds(40);
  report.tokenize = absl::Milliseconds(1);
  report.queue = absl::Milliseconds(2);
  report.compute = absl::Milliseconds(30);
  return report;
}

TEST_F(MetricsTest, EverySeriesExistsFromTheStart) {
  const std::string text = metrics_.Text();
  for (const char* series :
       {"deberta_requests_total{code=\"OK\",model=\"m\",task=\"classify\"} 0",
        "deberta_requests_total{code=\"RESOURCE_EXHAUSTED\",model=\"m\",task="
        "\"encode\"} 0",
        "deberta_requests_total{code=\"NOT_FOUND\",model=\"\",task=\"fill_mask"
        "\"} 0",
        "deberta_inputs_total{model=\"m\",task=\"encode\"} 0",
        "deberta_tokens_total{model=\"m\",task=\"classify\"} 0",
        "deberta_truncated_inputs_total{model=\"m\",task=\"classify\"} 0",
        "deberta_request_duration_seconds_count{model=\"m\",task=\"classify\"} "
        "0",
        "deberta_tokenize_duration_seconds_count{model=\"m\",task=\"encode\"} "
        "0",
        "deberta_queue_duration_seconds_count{model=\"m\",task=\"classify\"} 0",
        "deberta_compute_duration_seconds_count{model=\"m\",task=\"classify\"} "
        "0",
        "deberta_batch_inputs_count{model=\"m\"} 0",
        "deberta_batch_tokens_count{model=\"m\"} 0",
        "deberta_rejected_total{model=\"m\",reason=\"queue_full\"} 0",
        "deberta_rejected_total{model=\"m\",reason=\"too_large\"} 0",
        "deberta_rejected_total{model=\"m\",reason=\"draining\"} 0",
        "deberta_queue_tokens{model=\"m\"} 12",
        "deberta_queue_seconds{model=\"m\"} 0.5",
        "deberta_inflight_requests 3",
        "deberta_model_load_seconds{model=\"m\"} 1.5",
        "deberta_model_bytes{model=\"m\"} 4096",
        "deberta_precision_label_agreement{model=\"m\"} 0.995",
        "deberta_precision_max_logit_change{model=\"m\"} 0.25",
        "deberta_model_precision_info{model=\"m\",precision=\"int8\","
        "requested=\"auto\"} 1",
        "deberta_precision_label_agreement{model=\"fp32\"} 1",
        "deberta_precision_max_logit_change{model=\"fp32\"} 0",
        "deberta_model_precision_info{model=\"fp32\",precision=\"fp32\","
        "requested=\"fp32\"} 1",
        "deberta_build_info{isa=\"avx2\",onednn=\"3.4\",version=\"1.2\"} 1",
        "process_resident_memory_bytes ",
        "process_cpu_seconds_total "}) {
    EXPECT_THAT(text, HasSubstr(series));
  }
}

TEST_F(MetricsTest, RequestIsCountedOnceInEverySeries) {
  metrics_.RecordRequest(Answered());
  const std::string text = metrics_.Text();
  for (const char* series :
       {"deberta_requests_total{code=\"OK\",model=\"m\",task=\"classify\"} 1",
        "deberta_inputs_total{model=\"m\",task=\"classify\"} 2",
        "deberta_tokens_total{model=\"m\",task=\"classify\"} 30",
        "deberta_truncated_inputs_total{model=\"m\",task=\"classify\"} 1",
        "deberta_request_duration_seconds_count{model=\"m\",task=\"classify\"} "
        "1",
        "deberta_compute_duration_seconds_bucket{model=\"m\",task=\"classify\","
        "le=\"0.025\"} 0",
        "deberta_compute_duration_seconds_bucket{model=\"m\",task=\"classify\","
        "le=\"0.05\"} 1",
        "deberta_requests_total{code=\"OK\",model=\"m\",task=\"encode\"} 0"}) {
    EXPECT_THAT(text, HasSubstr(series));
  }
}

TEST_F(MetricsTest, DurationsReachTheDefaultDeadline) {
  RequestReport report = Answered();
  report.total = absl::Seconds(59);
  metrics_.RecordRequest(report);
  const std::string text = metrics_.Text();
  for (const char* series :
       {"deberta_request_duration_seconds_bucket{model=\"m\",task=\"classify\","
        "le=\"0.0005\"} 0",
        "deberta_request_duration_seconds_bucket{model=\"m\",task=\"classify\","
        "le=\"30\"} 0",
        "deberta_request_duration_seconds_bucket{model=\"m\",task=\"classify\","
        "le=\"60\"} 1"}) {
    EXPECT_THAT(text, HasSubstr(series));
  }
}

TEST_F(MetricsTest, RefusedRequestCountsNoInputs) {
  RequestReport report = Answered();
  report.code = absl::StatusCode::kResourceExhausted;
  report.accepted = false;
  report.rejection = Rejection::kQueueFull;
  report.queue.reset();
  report.compute.reset();
  metrics_.RecordRequest(report);
  const std::string text = metrics_.Text();
  for (const char* series :
       {"deberta_inputs_total{model=\"m\",task=\"classify\"} 0",
        "deberta_rejected_total{model=\"m\",reason=\"queue_full\"} 1",
        "deberta_queue_duration_seconds_count{model=\"m\",task=\"classify\"} "
        "0"}) {
    EXPECT_THAT(text, HasSubstr(series));
  }
}

TEST_F(MetricsTest, CallsForUnknownModelsHaveNoModel) {
  RequestReport report;
  report.method = "fill_mask";
  report.code = absl::StatusCode::kNotFound;
  metrics_.RecordRequest(report);
  EXPECT_THAT(metrics_.Text(),
              HasSubstr("deberta_requests_total{code=\"NOT_FOUND\",model=\"\","
                        "task=\"fill_mask\"} 1"));
}

TEST_F(MetricsTest, BatchesAreMeasured) {
  metrics_.RecordBatch(0, 3, 200);
  const std::string text = metrics_.Text();
  EXPECT_THAT(text, HasSubstr("deberta_batch_inputs_sum{model=\"m\"} 3"));
  EXPECT_THAT(text, HasSubstr("deberta_batch_tokens_bucket{model=\"m\",le="
                              "\"256\"} 1"));
}

TEST_F(MetricsTest, AModelThatIsReplacedGoesOnCounting) {
  metrics_.RecordRequest(Answered());
  metrics_.AddModel(0, {.name = "m",
                        .tasks = {TaskKind::kClassify, TaskKind::kTagTokens},
                        .version = 7,
                        .resident_bytes = 8192});
  metrics_.RecordRequest(Answered());
  const std::string text = metrics_.Text();
  for (const char* series :
       {"deberta_requests_total{code=\"OK\",model=\"m\",task=\"classify\"} 2",
        "deberta_inputs_total{model=\"m\",task=\"tag_tokens\"} 0",
        "deberta_model_bytes{model=\"m\"} 8192",
        "deberta_model_version{model=\"m\"} 7",
        "precision=\"fp32\",requested=\"fp32\"} 1"}) {
    EXPECT_THAT(text, HasSubstr(series));
  }
  EXPECT_THAT(text, Not(HasSubstr("precision=\"int8\"")));
}

TEST_F(MetricsTest, OfAModelThatIsRemovedCountersStay) {
  metrics_.RecordRequest(Answered());
  metrics_.RemoveModel(0);
  // A call that had found it.
  metrics_.RecordRequest(Answered());
  metrics_.RecordBatch(0, 1, 10);
  const std::string text = metrics_.Text();
  EXPECT_THAT(text, HasSubstr("deberta_requests_total{code=\"OK\",model=\"m\","
                              "task=\"classify\"} 2"));
  EXPECT_THAT(text, HasSubstr("deberta_batch_tokens_count{model=\"m\"} 1"));
  for (const char* series :
       {"deberta_model_bytes{model=\"m\"}", "deberta_queue_tokens{model=\"m\"}",
        "deberta_model_version{model=\"m\"}", "precision=\"int8\""}) {
    EXPECT_THAT(text, Not(HasSubstr(series)));
  }
}

TEST_F(MetricsTest, LoadsAreCountedByOutcome) {
  EXPECT_THAT(metrics_.Text(),
              HasSubstr("deberta_model_loads_total{model=\"m\",outcome="
                        "\"failed\"} 0"));
  metrics_.RecordLoad("new", false);
  metrics_.RecordLoad("m", true);
  const std::string text = metrics_.Text();
  for (const char* series :
       {"deberta_model_loads_total{model=\"new\",outcome=\"failed\"} 1",
        "deberta_model_loads_total{model=\"new\",outcome=\"loaded\"} 0",
        "deberta_model_loads_total{model=\"m\",outcome=\"loaded\"} 1"}) {
    EXPECT_THAT(text, HasSubstr(series));
  }
}

}  // namespace
}  // namespace deberta::server
