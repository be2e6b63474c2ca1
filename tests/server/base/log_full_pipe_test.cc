#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/clock.h"
#include "server/base/log.h"

namespace deberta::server {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class Pipe {
 public:
  Pipe() {
    EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0);
    signal(SIGPIPE, SIG_IGN);
  }
  ~Pipe() {
    CloseReader();
    close(ends_[1]);
  }
  int writer() const { return ends_[1]; }
  void CloseReader() {
    if (ends_[0] >= 0) close(ends_[0]);
    ends_[0] = -1;
  }
  void Fill() {
    const int flags = fcntl(ends_[1], F_GETFL);
    fcntl(ends_[1], F_SETFL, flags | O_NONBLOCK);
    const std::string page(4096, '#');
    while (write(ends_[1], page.data(), page.size()) > 0) {
    }
    fcntl(ends_[1], F_SETFL, flags);
  }
  // Until `text` has come.
  std::string ReadUntil(const std::string& text) {
    std::string all;
    char buffer[4096];
    while (all.find(text) == std::string::npos) {
      const ssize_t got = read(ends_[0], buffer, sizeof(buffer));
      if (got <= 0) break;
      all.append(buffer, static_cast<size_t>(got));
    }
    return all;
  }

 private:
  int ends_[2];
};

TEST(LogTest, LinesOfManyThreadsStayWhole) {
  Pipe pipe;
  Log log(pipe.writer());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&log] {
      for (int j = 0; j < 50; ++j) log.Info("a line");
    });
  }
  for (std::thread& thread : threads) thread.join();
  log.Info("the last");
  const std::string text = pipe.ReadUntil("the last\"}\n");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 201);
  EXPECT_EQ(log.dropped_lines(), 0u);
}

// Lines that a log says it dropped, now and then.
size_t ToldDropped(const std::string& text) {
  const std::string begin = "\"msg\":\"log lines were dropped\",\"lines\":";
  size_t told = 0;
  for (size_t at = text.find(begin); at != std::string::npos;
       at = text.find(begin, at + 1)) {
    told += std::stoul(text.substr(at + begin.size()));
  }
  return told;
}

// A start once stopped for ever at a full pipe.
TEST(LogTest, FullPipeHoldsNobodyUp) {
  Pipe pipe;
  pipe.Fill();
  const absl::Time began = SteadyNow();
  Log log(pipe.writer(), 4096);
  for (int i = 0; i < 1000; ++i) log.Info("nobody reads this");
  EXPECT_LT(SteadyNow() - began, absl::Seconds(5));
  EXPECT_FALSE(log.Flush(absl::Milliseconds(10)));
  const size_t dropped = log.dropped_lines();
  // The log holds its bytes of lines, and as many that are being written.
  EXPECT_GT(dropped, 800u);
  // Who reads at last is told.
  std::string text = pipe.ReadUntil("nobody reads this");
  EXPECT_THAT(text, HasSubstr("###"));
  EXPECT_TRUE(log.Flush(absl::Seconds(60)));
  log.Info("heard");
  text += pipe.ReadUntil("heard\"}\n");
  EXPECT_EQ(ToldDropped(text), dropped);
}

TEST(LogTest, EndsBesideAFullPipe) {
  Pipe pipe;
  pipe.Fill();
  const absl::Time began = SteadyNow();
  { Log(pipe.writer()).Error("nobody reads this"); }
  EXPECT_GE(SteadyNow() - began, absl::Milliseconds(900));
  EXPECT_LT(SteadyNow() - began, absl::Seconds(30));
  // The thread lets go of it once somebody does.
  EXPECT_THAT(pipe.ReadUntil("reads this\"}\n"), EndsWith("this\"}\n"));
}

TEST(LogTest, WithoutAReaderLinesAreCounted) {
  Pipe pipe;
  pipe.CloseReader();
  Log log(pipe.writer());
  log.Info("nobody reads this");
  EXPECT_TRUE(log.Flush(absl::Seconds(60)));
  EXPECT_EQ(log.dropped_lines(), 1u);
  Log closed(-1);
  closed.Info("nobody reads this");
  closed.Flush(absl::Seconds(1));
}

}  // namespace
}  // namespace deberta::server
