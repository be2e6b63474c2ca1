#include "server/base/log.h"

#include <gtest/gtest.h>

namespace deberta::server {
namespace {

TEST(LogTest, LineIsOneJsonObject) {
  EXPECT_EQ(
      FormatLogLine(
          absl::FromUnixMillis(1767225600123), LogLevel::kInfo, "model loaded",
          {{"model", "a\"b\n"}, {"tokens", int64_t{7}}, {"seconds", 0.5}}),
      "{\"ts\":\"2026-01-01T00:00:00.123Z\",\"level\":\"info\",\"msg\":\"model "
      "loaded\",\"model\":\"a\\\"b\\n\",\"tokens\":7,\"seconds\":0.5}\n");
}

TEST(LogTest, BytesThatAreNotUtf8AreReplaced) {
  const std::string line =
      FormatLogLine(absl::UnixEpoch(), LogLevel::kError, "a\xff", {});
  EXPECT_EQ(line,
            "{\"ts\":\"1970-01-01T00:00:00.000Z\",\"level\":\"error\",\"msg\":"
            "\"a\xef\xbf\xbd\"}\n");
}

}  // namespace
}  // namespace deberta::server
