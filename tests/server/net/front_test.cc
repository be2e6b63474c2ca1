#include "server/net/front.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <deque>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "tests/server/base/connect.h"
#include "tests/server/net/frames.h"

namespace deberta::server {
namespace {

// A front whose server's ends the test holds.
class FrontTest : public testing::Test {
 protected:
  void Start(ConnectionLimits limits = {}) {
    auto front = Front::Start({.host = "127.0.0.1"},
                              {.limits = limits,
                               .connect =
                                   [this](int descriptor) {
                                     const MutexLock lock(&mutex_);
                                     ends_.emplace_back(descriptor);
                                     changed_.SignalAll();
                                   },
                               .peers = &peers_,
                               .counts = &counts_});
    ASSERT_TRUE(front.ok()) << front.status();
    front_ = *std::move(front);
    address_ = {.host = "127.0.0.1", .port = front_->port()};
  }

  Descriptor NextEnd() {
    MutexLock lock(&mutex_);
    while (ends_.empty()) changed_.Wait(&mutex_);
    Descriptor end = std::move(ends_.front());
    ends_.pop_front();
    return end;
  }

  // So many bytes, or fewer where the other side ends.
  static std::string Read(const Descriptor& end, size_t bytes) {
    std::string text;
    std::array<char, 4096> part;
    while (text.size() < bytes) {
      pollfd waits = {.fd = end.get(), .events = POLLIN, .revents = 0};
      poll(&waits, 1, -1);
      const ssize_t count = recv(end.get(), part.data(),
                                 std::min(part.size(), bytes - text.size()), 0);
      if (count <= 0) break;
      text.append(part.data(), static_cast<size_t>(count));
    }
    return text;
  }

  static void Write(const Descriptor& end, const std::string& text) {
    for (size_t at = 0; at < text.size();) {
      pollfd waits = {.fd = end.get(), .events = POLLOUT, .revents = 0};
      poll(&waits, 1, -1);
      const ssize_t count =
          send(end.get(), text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (count > 0) at += static_cast<size_t>(count);
    }
  }

  int64_t closed(CloseReason reason) const {
    return counts_.closed[static_cast<size_t>(reason)];
  }

  // What gRPC makes of the peer's name.
  static std::string PeerName(const Descriptor& end) {
    sockaddr_un name = {};
    socklen_t bytes = sizeof(name);
    EXPECT_EQ(
        getpeername(end.get(), reinterpret_cast<sockaddr*>(&name), &bytes), 0);
    return absl::StrCat(
        "unix-abstract:",
        absl::string_view(name.sun_path + 1,
                          bytes - offsetof(sockaddr_un, sun_path) - 1));
  }

  PeerTable peers_;
  ConnectionCounts counts_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Descriptor> ends_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Front> front_;
  Address address_;
};

TEST_F(FrontTest, MovesBytesBothWaysAndTellsWhoItIs) {
  Start();
  const Connection client(address_);
  client.Send(kPreface);
  const Descriptor end = NextEnd();
  EXPECT_EQ(Read(end, 24), kPreface);
  EXPECT_EQ(peers_.Find(PeerName(end)), Peer{.address = "127.0.0.1"});
  std::string many = Frame(frame::kSettings, 0, 0);
  for (uint32_t i = 0; i < 200; ++i) {
    many += Frame(frame::kData, 0, 1, std::string(5000, static_cast<char>(i)));
  }
  client.Send(many);
  EXPECT_EQ(Read(end, many.size()), many);
  Write(end, many);
  shutdown(end.get(), SHUT_WR);
  EXPECT_EQ(client.Read(), many);
  EXPECT_EQ(counts_.open, 1);
}

TEST_F(FrontTest, TheServerSeesNothingBeforeThePreface) {
  Start();
  const Connection silent(address_);
  const Connection wrong(address_);
  wrong.Send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(wrong.Read(), "");
  EXPECT_EQ(closed(CloseReason::kProtocol), 1);
  const MutexLock lock(&mutex_);
  EXPECT_TRUE(ends_.empty());
}

TEST_F(FrontTest, TheServerSeesTheClientEnd) {
  Start();
  Descriptor end;
  {
    const Connection client(address_);
    client.Send(kPreface);
    end = NextEnd();
    EXPECT_EQ(Read(end, 24), kPreface);
  }
  EXPECT_EQ(Read(end, 1), "");
  end.Close();
  front_->WaitUntilEmpty(absl::InfiniteDuration());
  EXPECT_EQ(counts_.open, 0);
  EXPECT_EQ(closed(CloseReason::kClient), 1);
}

TEST_F(FrontTest, OnePeerHasAShare) {
  Start({.max_connections_per_peer = 2});
  const Connection first(address_);
  first.Send(kPreface);
  const Descriptor one = NextEnd();
  {
    const Connection second(address_);
    second.Send(kPreface);
    const Descriptor two = NextEnd();
    EXPECT_EQ(Connection(address_).Read(), "");
    EXPECT_EQ(closed(CloseReason::kPeerShare), 1);
  }
  while (counts_.open > 1) sched_yield();
  const Connection third(address_);
  third.Send(kPreface);
  NextEnd();
}

TEST_F(FrontTest, WhoConnectsAnewFindsWhatIsLeftOfTheBudget) {
  Start({.max_resets_per_second = 1});
  const absl::Time start = SteadyNow();
  int connections = 0;
  while (closed(CloseReason::kResets) == 0 && connections < 1000) {
    const Connection client(address_);
    client.Send(kPreface);
    const Descriptor end = NextEnd();
    EXPECT_EQ(Read(end, 24), kPreface);
    const std::string reset = Headers(1) + Reset(1);
    client.Send(reset);
    Read(end, reset.size());  // or the connection's end
    ++connections;
  }
  // Eight at once, and four a second; the last is counted after it is closed.
  const double seconds = absl::ToDoubleSeconds(SteadyNow() - start);
  EXPECT_GT(connections, 8);
  EXPECT_LE(connections, 8 + 4 * seconds + 2);
}

TEST_F(FrontTest, AClientThatSendsNoPrefaceIsClosedInTime) {
  Start({.handshake_time = absl::Milliseconds(10)});
  const Connection silent(address_);
  EXPECT_EQ(silent.Read(), "");
  EXPECT_EQ(closed(CloseReason::kHandshake), 1);
}

TEST_F(FrontTest, AClientThatDoesNotReadIsClosedInTime) {
  Start({.stall_time = absl::Milliseconds(10)});
  const Connection client(address_);
  client.Send(kPreface);
  const Descriptor end = NextEnd();
  // Until the front closes it: more than the system's buffers hold.
  const std::string block(1 << 20, '\0');
  while (closed(CloseReason::kStalled) == 0) {
    pollfd waits = {.fd = end.get(), .events = POLLOUT, .revents = 0};
    poll(&waits, 1, 10);
    send(end.get(), block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  EXPECT_EQ(closed(CloseReason::kStalled), 1);
}

// A client that is told nothing goes on calling a server that drains.
TEST_F(FrontTest, StopsAcceptingAndAsksClientsToLeave) {
  Start();
  const Connection client(address_);
  client.Send(kPreface);
  const Descriptor end = NextEnd();
  EXPECT_EQ(Read(end, 24), kPreface);
  const std::string settings = Frame(frame::kSettings, 0, 0);
  Write(end, settings);
  EXPECT_EQ(client.ReadUntil(settings), settings);
  front_->StopAccepting();
  EXPECT_FALSE(Connection(address_).ok());
  EXPECT_EQ(client.ReadUntil(kSentAway), kSentAway);
  // Sent before it heard.
  client.Send(Headers(1));
  EXPECT_EQ(Read(end, Headers(1).size()), Headers(1));
  EXPECT_FALSE(front_->WaitUntilAllKnow(absl::ZeroDuration()));
  client.Send(kHeard);
  EXPECT_TRUE(front_->WaitUntilAllKnow(absl::InfiniteDuration()));
  Write(end, Trailers(1));
  shutdown(end.get(), SHUT_WR);
  EXPECT_EQ(client.Read(), Trailers(1));
}

TEST_F(FrontTest, AsksToLeaveOnceTheServersFrameHasEnded) {
  Start();
  const Connection client(address_);
  client.Send(kPreface);
  const Descriptor end = NextEnd();
  const std::string answer = Frame(frame::kData, 0, 1, std::string(100, 'd'));
  Write(end, answer.substr(0, 50));
  EXPECT_EQ(client.ReadUntil(answer.substr(0, 50)), answer.substr(0, 50));
  front_->StopAccepting();
  Write(end, answer.substr(50));
  EXPECT_EQ(client.ReadUntil(kSentAway), answer.substr(50) + kSentAway);
}

TEST_F(FrontTest, WhoHasSaidNothingNeedNotHear) {
  Start();
  const Connection silent(address_);
  front_->StopAccepting();
  EXPECT_TRUE(front_->WaitUntilAllKnow(absl::InfiniteDuration()));
}

// Those of the server's own come before.
TEST_F(FrontTest, TheAnswerToAnotherPingIsNotThatItHasHeard) {
  Start();
  const Connection client(address_);
  client.Send(kPreface);
  const Descriptor end = NextEnd();
  const std::string ping = Frame(frame::kPing, 0, 0, std::string(8, '\0'));
  Write(end, ping);
  EXPECT_EQ(client.ReadUntil(ping), ping);
  front_->StopAccepting();
  EXPECT_EQ(client.ReadUntil(kSentAway), kSentAway);
  client.Send(Frame(frame::kPing, frame::kAck, 0, std::string(8, '\0')));
  EXPECT_EQ(Read(end, 24 + 17).size(), 24 + 17);
  EXPECT_FALSE(front_->WaitUntilAllKnow(absl::ZeroDuration()));
  client.Send(kHeard);
  EXPECT_TRUE(front_->WaitUntilAllKnow(absl::InfiniteDuration()));
}

TEST_F(FrontTest, EndsWhatIsOpen) {
  Start();
  const Connection client(address_);
  client.Send(kPreface);
  const Descriptor end = NextEnd();
  EXPECT_EQ(Read(end, 24), kPreface);
  front_ = nullptr;
  EXPECT_EQ(client.Read(), "");
  EXPECT_EQ(Read(end, 1), "");
  EXPECT_EQ(counts_.open, 0);
}

}  // namespace
}  // namespace deberta::server
