#include "server/net/acceptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <vector>

#include "server/base/listening_socket.h"
#include "tests/server/base/connect.h"

namespace deberta::server {
namespace {

// Takes every descriptor that is left, but for `spare`.
std::vector<Descriptor> TakeDescriptors(size_t spare) {
  std::vector<Descriptor> taken;
  while (true) {
    Descriptor one(open("/dev/null", O_RDONLY));
    if (!one.ok()) break;
    taken.push_back(std::move(one));
  }
  taken.resize(taken.size() - spare);
  return taken;
}

class FewDescriptors {
 public:
  FewDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit few = {.rlim_cur = 64, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_ = {};
};

// gRPC 1.51 never accepts again after this.
TEST(AcceptorTest, AcceptsAgainOnceDescriptorsAreBack) {
  const FewDescriptors few;
  auto sockets = ListeningSockets::Open({.host = "127.0.0.1"});
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  const Address address = {.host = "127.0.0.1", .port = sockets->port()};
  Acceptor acceptor(sockets->ReleaseDescriptors());
  const int socket = acceptor.sockets()[0].get();
  Descriptor client;
  PeerAddress peer;
  for (int round = 0; round < 3; ++round) {
    std::vector<Descriptor> taken = TakeDescriptors(/*spare=*/1);
    const Connection waits(address);
    ASSERT_TRUE(waits.ok());
    EXPECT_EQ(acceptor.Accept(socket, &client, &peer),
              Acceptor::Outcome::kNoDescriptors);
    EXPECT_FALSE(client.ok());
    EXPECT_EQ(waits.Read(), "");  // it was told at once
    taken.clear();
    const Connection next(address);
    EXPECT_EQ(acceptor.Accept(socket, &client, &peer),
              Acceptor::Outcome::kAccepted);
    EXPECT_EQ(peer.text, "127.0.0.1");
    client.Close();
    EXPECT_EQ(acceptor.Accept(socket, &client, &peer),
              Acceptor::Outcome::kNone);
  }
}

}  // namespace
}  // namespace deberta::server
