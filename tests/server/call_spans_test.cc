#include "server/call_spans.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace deberta::server {
namespace {

RequestReport Answered() {
  RequestReport report;
  report.method = "classify";
  report.model_name = "m";
  report.trace = TraceContext{std::string(32, 'a'), std::string(16, 'b'), true};
  report.start = absl::FromUnixMillis(1767225600000);
  report.until_tokenize = absl::Microseconds(50);
  report.tokenize = absl::Microseconds(100);
  report.queue = absl::Microseconds(200);
  report.compute = absl::Microseconds(400);
  report.total = absl::Microseconds(1000);
  return report;
}

TEST(CallSpansTest, PartsFollowEachOtherWithinTheCall) {
  const RequestReport report = Answered();
  const std::vector<Span> spans = SpansOf(report);
  ASSERT_EQ(spans.size(), 4u);
  EXPECT_TRUE(spans[0].server);
  EXPECT_EQ(spans[0].name, "classify");
  EXPECT_EQ(spans[0].trace_id, report.trace->trace_id);
  EXPECT_EQ(spans[0].parent_id, report.trace->parent_id);
  EXPECT_EQ(spans[0].start, report.start);
  EXPECT_EQ(spans[0].end, report.start + report.total);
  EXPECT_EQ(spans[0].error, "");
  std::set<std::string> ids = {spans[0].span_id};
  absl::Time at = report.start + report.until_tokenize;
  const char* const names[] = {"", "tokenize", "queue", "compute"};
  const absl::Duration times[] = {
      {}, *report.tokenize, *report.queue, *report.compute};
  for (size_t i = 1; i < spans.size(); ++i) {
    EXPECT_FALSE(spans[i].server);
    EXPECT_EQ(spans[i].name, names[i]);
    EXPECT_EQ(spans[i].trace_id, spans[0].trace_id);
    EXPECT_EQ(spans[i].parent_id, spans[0].span_id);
    EXPECT_EQ(spans[i].start, at);
    EXPECT_EQ(spans[i].end, at += times[i]);
    EXPECT_TRUE(ids.insert(spans[i].span_id).second);
  }
}

// Rounds that overlap add up to more than the call took.
TEST(CallSpansTest, NoPartEndsAfterTheCall) {
  RequestReport report = Answered();
  report.queue = absl::Seconds(5);
  for (const Span& span : SpansOf(report)) {
    EXPECT_LE(span.start, span.end);
    EXPECT_LE(span.end, report.start + report.total);
  }
}

TEST(CallSpansTest, WithoutATraceOneBegins) {
  RequestReport report = Answered();
  report.trace.reset();
  const std::vector<Span> spans = SpansOf(report);
  EXPECT_EQ(spans[0].trace_id.size(), 32u);
  EXPECT_EQ(spans[0].parent_id, "");
  EXPECT_EQ(spans[3].trace_id, spans[0].trace_id);
}

// A message may quote what the request says.
TEST(CallSpansTest, ARefusedCallHasItsReasonAlone) {
  RequestReport report;
  report.method = "classify";
  report.message = "xyzzyplugh";
  for (const auto& [code, error] :
       {std::pair(absl::StatusCode::kInvalidArgument, ""),
        {absl::StatusCode::kResourceExhausted, ""},
        {absl::StatusCode::kUnavailable, "R"},
        {absl::StatusCode::kDeadlineExceeded, "R"},
        {absl::StatusCode::kInternal, "R"}}) {
    report.code = code;
    report.reason = "R";
    const std::vector<Span> spans = SpansOf(report);
    ASSERT_EQ(spans.size(), 1u);
    EXPECT_EQ(spans[0].error, error);
    EXPECT_EQ(spans[0].attributes.back().name, "error.type");
    EXPECT_EQ(std::get<std::string>(spans[0].attributes.back().value), "R");
    for (const SpanAttribute& attribute : spans[0].attributes) {
      const auto* text = std::get_if<std::string>(&attribute.value);
      EXPECT_TRUE(text == nullptr || *text != report.message);
    }
  }
}

}  // namespace
}  // namespace deberta::server
