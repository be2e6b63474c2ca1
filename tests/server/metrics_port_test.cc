#include "server/metrics_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/clock.h"
#include "tests/server/base/connect.h"

namespace deberta::server {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const Address kLoopback = {.host = "127.0.0.1"};

std::unique_ptr<MetricsPort> Start(const Address& address,
                                   std::string text = "deberta 1\n") {
  auto port = MetricsPort::Start(address, [text] { return text; });
  EXPECT_TRUE(port.ok()) << port.status();
  return *std::move(port);
}

Address At(const std::string& host, const MetricsPort& port) {
  return {.host = host, .port = port.port()};
}

// The answer to one request, after which the connection ends.
std::string Ask(const Address& address, const std::string& line) {
  const Connection connection(address);
  if (!connection.ok()) return "";
  connection.Send(
      absl::StrCat(line, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  return connection.Read();
}

TEST(MetricsPortTest, HasAPageForPeople) {
  const auto port = Start(kLoopback);
  const std::string answer = Ask(At("127.0.0.1", *port), "GET /");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/html; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Security-Policy: default-src 'none'"));
  EXPECT_THAT(answer, HasSubstr("<title>deberta-server</title>"));
  EXPECT_THAT(answer, EndsWith("</html>\n"));
  // Nothing is loaded from elsewhere.
  EXPECT_THAT(answer, Not(HasSubstr("src=")));
  EXPECT_THAT(answer, Not(HasSubstr("//cdn")));
}

TEST(MetricsPortTest, AnswersAsPrometheusAsks) {
  const auto port = Start(kLoopback);
  for (const char* line : {"GET /metrics", "GET /metrics?name[]=x"}) {
    const std::string answer = Ask(At("127.0.0.1", *port), line);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4; "
                                  "charset=utf-8\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Length: 10\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\ndeberta 1\n"));
  }
  const std::string head = Ask(At("127.0.0.1", *port), "HEAD /metrics");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(head, EndsWith("\r\n\r\n"));
}

TEST(MetricsPortTest, RefusesWhatIsNotThere) {
  const auto port = Start(kLoopback);
  for (const char* line : {"GET /index.html", "GET /metrics/",
                           "HEAD /favicon.ico", "GET /../metrics"}) {
    EXPECT_THAT(Ask(At("127.0.0.1", *port), line), StartsWith("HTTP/1.1 404 "))
        << line;
  }
  for (const char* line : {"POST /metrics", "DELETE /metrics", "PUT /"}) {
    const std::string answer = Ask(At("127.0.0.1", *port), line);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << line;
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n")) << line;
  }
  const Connection noise(At("127.0.0.1", *port));
  noise.Send("\x16\x03\x01 this is no HTTP\r\n\r\n");
  EXPECT_THAT(noise.Read(), Not(HasSubstr("200 OK")));
  EXPECT_THAT(Ask(At("127.0.0.1", *port), "GET /metrics"), HasSubstr("200 OK"));
}

TEST(MetricsPortTest, KeepsAConnectionForTheNextScrape) {
  const auto port = Start(kLoopback);
  const Connection connection(At("127.0.0.1", *port));
  for (int scrape = 0; scrape < 3; ++scrape) {
    connection.Send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(connection.ReadUntil("deberta 1\n"), HasSubstr("200 OK"));
  }
}

TEST(MetricsPortTest, SilentAndSlowScrapersKeepNobodyWaiting) {
  // More than the sockets' buffers hold of an answer that nobody reads.
  const auto port = Start(kLoopback, std::string(16 << 20, 'm'));
  std::vector<Connection> others;
  // More than two silent ones once kept a scrape waiting for half a minute.
  for (int i = 0; i < 200; ++i) {
    others.emplace_back(At("127.0.0.1", *port));
    ASSERT_TRUE(others.back().ok());
    if (i % 4 == 1) others.back().Send("GET /met");
    if (i % 4 == 2) others.back().Send("GET /metrics HTTP/1.1\r\nHost:");
    if (i % 4 == 3)
      others.back().Send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  const absl::Time began = SteadyNow();
  EXPECT_THAT(Ask(At("127.0.0.1", *port), "HEAD /metrics"),
              HasSubstr("Content-Length: 16777216\r\n"));
  EXPECT_LT(SteadyNow() - began, absl::Seconds(2));
}

TEST(MetricsPortTest, ListensOnIpv6) {
  if (!HaveIpv6()) GTEST_SKIP() << "no IPv6 here";
  const auto loopback = Start({.host = "::1"});
  EXPECT_THAT(Ask(At("::1", *loopback), "GET /metrics"), HasSubstr("200 OK"));
  const auto any = Start({.host = "::"});
  EXPECT_THAT(Ask(At("::1", *any), "GET /metrics"), HasSubstr("200 OK"));
  EXPECT_THAT(Ask(At("127.0.0.1", *any), "GET /metrics"), HasSubstr("200 OK"));
}

TEST(MetricsPortTest, ListensOnAUnixSocketAndRemovesItsFile) {
  const Address address = {.path =
                               absl::StrCat("/tmp/deberta_metrics_", getpid())};
  {
    const auto port = Start(address);
    EXPECT_EQ(port->port(), 0);
    EXPECT_THAT(Ask(address, "GET /metrics"), HasSubstr("200 OK"));
    const auto second = MetricsPort::Start(address, [] { return ""; });
    EXPECT_EQ(second.status().message(),
              absl::StrCat("cannot serve metrics on unix:", address.path,
                           ": Address already in use: a process listens "
                           "there"));
    EXPECT_THAT(Ask(address, "GET /metrics"), HasSubstr("200 OK"));
  }
  EXPECT_EQ(access(address.path.c_str(), F_OK), -1);
}

TEST(MetricsPortTest, PortInUseIsOneError) {
  auto port = Start(kLoopback);
  const Address taken = At("127.0.0.1", *port);
  const auto second = MetricsPort::Start(taken, [] { return ""; });
  EXPECT_EQ(second.status().message(),
            absl::StrCat("cannot serve metrics on ", taken.ToString(),
                         ": Address already in use"));
  port.reset();
  EXPECT_NE(Start(taken), nullptr);
}

TEST(MetricsPortTest, EndsBesideOpenConnections) {
  auto port = Start(kLoopback, std::string(16 << 20, 'm'));
  const Connection silent(At("127.0.0.1", *port));
  const Connection slow(At("127.0.0.1", *port));
  slow.Send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  slow.ReadUntil("200 OK");
  port.reset();
  EXPECT_EQ(silent.Read(), "");
}

}  // namespace
}  // namespace deberta::server
