// The want of memory on the front's thread: the connection concerned may end,
// the front goes on. A program of its own, as it replaces the allocator.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "server/net/front.h"
#include "tests/server/base/connect.h"
#include "tests/server/failing_allocator.h"
#include "tests/server/net/frames.h"

namespace {

// Allocations that the front may still make before one fails; negative: any
// number.
std::atomic<int> allowed = -1;
thread_local bool is_the_tests = false;

}  // namespace

bool FailsNow() {
  if (is_the_tests || allowed < 0) return false;
  return allowed-- == 0;
}

namespace deberta::server {
namespace {

// Answers one byte on each connection of a front, and closes it.
struct Answering {
  Answering() {
    auto started = Front::Start({.host = "127.0.0.1"},
                                {.connect =
                                     [](int descriptor) {
                                       const Descriptor end(descriptor);
                                       send(end.get(), "x", 1, MSG_NOSIGNAL);
                                     },
                                 .peers = &peers,
                                 .counts = &counts});
    EXPECT_TRUE(started.ok()) << started.status();
    front = *std::move(started);
    address = {.host = "127.0.0.1", .port = front->port()};
  }

  // "x", or nothing.
  std::string Ask() const {
    const Connection client(address);
    client.Send(kPreface);
    return client.Read();
  }

  PeerTable peers;
  ConnectionCounts counts;
  std::unique_ptr<Front> front;
  Address address;
};

TEST(FrontThrownTest, AConnectionWithoutMemoryEndsAndTheFrontGoesOn) {
  is_the_tests = true;
  int failures = 0;
  while (true) {
    SCOPED_TRACE(failures);
    Answering server;
    allowed = failures;
    const std::string answer = server.Ask();
    const bool failed = allowed < 0;
    allowed = -1;
    if (!failed) {
      EXPECT_EQ(answer, "x");
      break;
    }
    EXPECT_EQ(server.Ask(), "x");
    server.front->WaitUntilEmpty(absl::InfiniteDuration());
    EXPECT_EQ(server.counts.open, 0);
    const size_t reason = static_cast<size_t>(CloseReason::kMemory);
    EXPECT_EQ(server.counts.closed[reason], 1);
    EXPECT_EQ(answer, "");
    ++failures;
  }
  EXPECT_GE(failures, 5);
}

}  // namespace
}  // namespace deberta::server
