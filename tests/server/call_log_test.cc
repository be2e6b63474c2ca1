#include "server/call_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace deberta::server {
namespace {

// The line without its time.
std::string LineOf(const RequestReport& report) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  {
    Log log(ends[1]);
    LogCall(report, &log);
  }
  close(ends[1]);
  std::string line(4096, '\0');
  const ssize_t got = read(ends[0], line.data(), line.size());
  close(ends[0]);
  line.resize(got > 0 ? static_cast<size_t>(got) : 0);
  const size_t level = line.find("\"level\"");
  return level == std::string::npos ? line : line.substr(level);
}

TEST(CallLogTest, AnsweredCall) {
  RequestReport report;
  report.method = "classify";
  report.model_name = "m";
  report.caller = "team";
  report.trace = TraceContext{std::string(32, 'a'), std::string(16, 'b'), true};
  report.accepted = true;
  report.inputs = 2;
  report.tokens = 31;
  report.total = absl::Microseconds(2500);
  report.tokenize = absl::Microseconds(71);
  report.queue = absl::ZeroDuration();
  report.compute = absl::Milliseconds(2);
  EXPECT_EQ(LineOf(report),
            "\"level\":\"info\",\"msg\":\"call\",\"method\":\"classify\","
            "\"model\":\"m\",\"code\":\"OK\",\"caller\":\"team\",\"inputs\":2,"
            "\"tokens\":31,\"total_ms\":2.5,\"tokenize_ms\":0.071,"
            "\"queue_ms\":0.0,\"compute_ms\":2.0,\"trace_id\":\"" +
                std::string(32, 'a') + "\"}\n");
}

// A message may quote what the request says.
TEST(CallLogTest, RefusedCallTellsTheReasonAndNotTheMessage) {
  RequestReport report;
  report.method = "classify";
  report.caller = "127.0.0.1";
  report.code = absl::StatusCode::kNotFound;
  report.reason = "MODEL_NOT_FOUND";
  report.message = "no model \"xyzzyplugh\"";
  report.total = absl::Microseconds(80);
  EXPECT_EQ(LineOf(report),
            "\"level\":\"info\",\"msg\":\"call\",\"method\":\"classify\","
            "\"model\":\"\",\"code\":\"NOT_FOUND\",\"caller\":\"127.0.0.1\","
            "\"inputs\":0,\"tokens\":0,\"total_ms\":0.08,"
            "\"reason\":\"MODEL_NOT_FOUND\"}\n");
}

}  // namespace
}  // namespace deberta::server
