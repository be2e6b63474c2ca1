#include "server/tracing/http_sender.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "server/base/clock.h"

namespace deberta::server {
namespace {

using testing::HasSubstr;

// A port on loopback. Whoever connects waits for an answer, for ever unless
// AnswerOnce() is called.
class Collector {
 public:
  Collector() : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(descriptor_, any, size), 0);
    EXPECT_EQ(listen(descriptor_, 8), 0);
    EXPECT_EQ(getsockname(descriptor_, any, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~Collector() { close(descriptor_); }

  std::string url() const {
    return absl::StrCat("http://127.0.0.1:", port_, "/v1/traces");
  }

  // What comes up to `end`; the answer closes the connection.
  std::string AnswerOnce(const std::string& end, const std::string& answer) {
    const int client = accept(descriptor_, nullptr, nullptr);
    std::string got;
    char bytes[4096];
    while (!got.ends_with(end)) {
      const ssize_t count = read(client, bytes, sizeof(bytes));
      if (count <= 0) break;
      got.append(bytes, static_cast<size_t>(count));
    }
    EXPECT_EQ(write(client, answer.data(), answer.size()),
              static_cast<ssize_t>(answer.size()));
    close(client);
    return got;
  }

 private:
  const int descriptor_;
  int port_ = 0;
};

absl::Status Send(const std::string& url, const std::string& body,
                  absl::Duration timeout = absl::Hours(1)) {
  auto sender = HttpSender::Create(url, timeout);
  if (!sender.ok()) return sender.status();
  return (*sender)->Send(body);
}

TEST(HttpSenderTest, PostsTheBodyWhole) {
  // No proxy is asked, whatever the environment says.
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  Collector collector;
  // More than libcurl sends at once.
  const std::string body = std::string(3 << 20, 'x') + "END";
  std::string request;
  std::thread thread([&] {
    request = collector.AnswerOnce("END",
                                   "HTTP/1.1 200 OK\r\n"
                                   "Content-Length: 2\r\n\r\n{}");
  });
  EXPECT_EQ(Send(collector.url(), body), absl::OkStatus());
  thread.join();
  unsetenv("http_proxy");
  EXPECT_TRUE(request.starts_with("POST /v1/traces HTTP/1.1\r\n"));
  EXPECT_THAT(request.substr(0, 1000),
              HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(request.substr(0, 1000),
              HasSubstr(absl::StrCat("Content-Length: ", body.size())));
  EXPECT_EQ(request.find("Expect"), std::string::npos);
}

// Also where the answer points elsewhere, or is none.
TEST(HttpSenderTest, OnlySuccessIsOk) {
  for (const char* answer :
       {"HTTP/1.1 503 No\r\n\r\n",
        "HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
        "what?\r\n\r\n", ""}) {
    Collector collector;
    std::thread thread([&] { collector.AnswerOnce("END", answer); });
    const absl::Status sent = Send(collector.url(), "END");
    EXPECT_TRUE(absl::IsUnavailable(sent)) << answer << sent;
    EXPECT_THAT(std::string(sent.message()), HasSubstr(collector.url()));
    thread.join();
  }
}

TEST(HttpSenderTest, NobodyListens) {
  const std::string url = Collector().url();
  EXPECT_TRUE(absl::IsUnavailable(Send(url, "END")));
}

TEST(HttpSenderTest, ASilentCollectorIsLeftAfterTheTime) {
  const Collector collector;
  const absl::Time start = SteadyNow();
  EXPECT_TRUE(absl::IsUnavailable(
      Send(collector.url(), "END", absl::Milliseconds(50))));
  EXPECT_GE(SteadyNow() - start, absl::Milliseconds(50));
}

TEST(HttpSenderTest, StopEndsWhatRunsAndWhatComes) {
  const Collector collector;
  const auto sender = HttpSender::Create(collector.url(), absl::Hours(1));
  ASSERT_TRUE(sender.ok()) << sender.status();
  std::thread thread([&] { (*sender)->StopBy(SteadyNow()); });
  EXPECT_TRUE(absl::IsUnavailable((*sender)->Send("END")));
  thread.join();
  EXPECT_TRUE(absl::IsUnavailable((*sender)->Send("END")));
}

}  // namespace
}  // namespace deberta::server
