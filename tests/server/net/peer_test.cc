#include "server/net/peer.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "server/net/peer_address.h"

namespace deberta::server {
namespace {

TEST(PeerTest, ReadsWhatGrpcTells) {
  EXPECT_EQ(ParsePeer("ipv4:1.2.3.4:5"), Peer{.address = "1.2.3.4"});
  EXPECT_EQ(ParsePeer("ipv6:%5B::1%5D:5"), Peer{.address = "::1"});
  EXPECT_EQ(ParsePeer("ipv6:[fe80::1]:50"), Peer{.address = "fe80::1"});
  EXPECT_EQ(ParsePeer("unix:/run/socket"), Peer{.address = "unix"});
  for (const char* none : {"", "inproc", "ipv4", "ipv7:1"})
    EXPECT_EQ(ParsePeer(none), Peer{});
}

TEST(PeerTest, FindsConnectionsWhileTheyLast) {
  PeerTable table;
  table.Add("deberta-1", {"10.0.0.1", "spiffe://a"});
  EXPECT_EQ(table.Find("unix-abstract:deberta-1"),
            (Peer{"10.0.0.1", "spiffe://a"}));
  EXPECT_EQ(table.Find("unix-abstract:deberta-2"), Peer{});
  EXPECT_EQ(table.Find("ipv4:1.2.3.4:5"), Peer{.address = "1.2.3.4"});
  table.Remove("deberta-1");
  EXPECT_EQ(table.Find("unix-abstract:deberta-1"), Peer{});
}

sockaddr_storage V6(const char* text) {
  sockaddr_storage storage = {};
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(77);
  EXPECT_EQ(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
  return storage;
}

TEST(PeerAddressTest, Ipv6SharesByNetwork) {
  EXPECT_EQ(ReadPeerAddress(V6("2001:db8::1")).text, "2001:db8::1");
  EXPECT_EQ(ReadPeerAddress(V6("2001:db8::1")).share,
            ReadPeerAddress(V6("2001:db8::2:0:0:1")).share);
  EXPECT_NE(ReadPeerAddress(V6("2001:db8:0:1::1")).share,
            ReadPeerAddress(V6("2001:db8:0:2::1")).share);
}

TEST(PeerAddressTest, Ipv4IsTheSameWithinIpv6) {
  sockaddr_storage storage = {};
  auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(0x0a000001);
  EXPECT_EQ(ReadPeerAddress(storage).text, "10.0.0.1");
  EXPECT_EQ(ReadPeerAddress(V6("::ffff:10.0.0.1")).text, "10.0.0.1");
  EXPECT_EQ(ReadPeerAddress(V6("::ffff:10.0.0.1")).share,
            ReadPeerAddress(storage).share);
}

TEST(PeerAddressTest, UnixSocketsAreOne) {
  sockaddr_storage storage = {};
  storage.ss_family = AF_UNIX;
  EXPECT_TRUE(ReadPeerAddress(storage).is_unix());
}

}  // namespace
}  // namespace deberta::server
