#include "server/tracing/otlp_json.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace deberta::server {
namespace {

// Every field, written by hand from opentelemetry-proto.
TEST(OtlpJsonTest, EveryField) {
  const std::string trace(32, 'a');
  const Span root = {.trace_id = trace,
                     .span_id = std::string(16, 'b'),
                     .parent_id = std::string(16, 'c'),
                     .name = "classify",
                     .server = true,
                     .start = absl::FromUnixNanos(1767225600000000001),
                     .end = absl::FromUnixNanos(1767225600000000003),
                     .attributes = {{"deberta.model", "a\"\n\xff"},
                                    {"deberta.tokens", int64_t{1} << 60}},
                     .error = "INTERNAL"};
  const Span part = {.trace_id = trace,
                     .span_id = std::string(16, 'd'),
                     .parent_id = "",
                     .name = "queue",
                     .start = absl::FromUnixNanos(5),
                     .end = absl::FromUnixNanos(5)};
  EXPECT_EQ(
      OtlpJson({root, part}, "1.2"),
      "{\"resourceSpans\":[{\"resource\":{\"attributes\":["
      "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"deberta-server\"}"
      "},{\"key\":\"service.version\",\"value\":{\"stringValue\":\"1.2\"}}]},"
      "\"scopeSpans\":[{\"scope\":{\"name\":\"deberta-server\",\"version\":"
      "\"1.2\"},\"spans\":[{\"traceId\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
      "\"spanId\":\"bbbbbbbbbbbbbbbb\",\"parentSpanId\":\"cccccccccccccccc\","
      "\"name\":\"classify\",\"kind\":2,"
      "\"startTimeUnixNano\":\"1767225600000000001\","
      "\"endTimeUnixNano\":\"1767225600000000003\",\"attributes\":["
      "{\"key\":\"deberta.model\",\"value\":{\"stringValue\":"
      "\"a\\\"\\n\xef\xbf\xbd\"}},{\"key\":\"deberta.tokens\",\"value\":"
      "{\"intValue\":\"1152921504606846976\"}}],"
      "\"status\":{\"message\":\"INTERNAL\",\"code\":2}},"
      "{\"traceId\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
      "\"spanId\":\"dddddddddddddddd\",\"name\":\"queue\",\"kind\":1,"
      "\"startTimeUnixNano\":\"5\",\"endTimeUnixNano\":\"5\","
      "\"attributes\":[],\"status\":{}}]}]}]}");
}

TEST(SpanTest, IdentifiersAreHexAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    for (const auto& [id, digits] :
         {std::pair(NewTraceId(), 32u), {NewSpanId(), 16u}}) {
      EXPECT_EQ(id.size(), digits);
      EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
      EXPECT_TRUE(seen.insert(id).second);
    }
  }
}

}  // namespace
}  // namespace deberta::server
