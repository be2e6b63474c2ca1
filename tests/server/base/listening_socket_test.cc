#include "server/base/listening_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "tests/server/base/connect.h"

namespace deberta::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string ErrorOf(const Address& address) {
  const auto sockets = ListeningSockets::Open(address);
  EXPECT_FALSE(sockets.ok()) << address.ToString();
  return std::string(sockets.status().message());
}

TEST(ListeningSocketTest, IsReachedByIpv4) {
  const auto sockets = ListeningSockets::Open({.host = "127.0.0.1"});
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  EXPECT_GT(sockets->port(), 0);
  EXPECT_TRUE(Connection({.host = "127.0.0.1", .port = sockets->port()}).ok());
}

TEST(ListeningSocketTest, AnyIpv4IsNotIpv6) {
  const auto sockets = ListeningSockets::Open({.host = "0.0.0.0"});
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  EXPECT_TRUE(Connection({.host = "127.0.0.1", .port = sockets->port()}).ok());
  EXPECT_FALSE(Connection({.host = "::1", .port = sockets->port()}).ok());
}

TEST(ListeningSocketTest, AnyIpv6IsAlsoIpv4) {
  if (!HaveIpv6()) GTEST_SKIP() << "no IPv6 here";
  const auto sockets = ListeningSockets::Open({.host = "::"});
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  EXPECT_TRUE(Connection({.host = "::1", .port = sockets->port()}).ok());
  EXPECT_TRUE(Connection({.host = "127.0.0.1", .port = sockets->port()}).ok());
}

TEST(ListeningSocketTest, NameStandsForAllItsAddressesOnOnePort) {
  const auto sockets = ListeningSockets::Open({.host = "localhost"});
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  EXPECT_TRUE(Connection({.host = "127.0.0.1", .port = sockets->port()}).ok());
}

TEST(ListeningSocketTest, ReasonsAreTheSystems) {
  const auto taken = ListeningSockets::Open({.host = "127.0.0.1"});
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(ErrorOf({.host = "127.0.0.1", .port = taken->port()}),
            "Address already in use");
  EXPECT_EQ(ErrorOf({.host = "0.0.0.0", .port = taken->port()}),
            "Address already in use");
  // TEST-NET-1 is nobody's.
  EXPECT_EQ(ErrorOf({.host = "192.0.2.1"}),
            "Cannot assign requested address: no interface of this machine has "
            "it");
  EXPECT_THAT(ErrorOf({.host = "nowhere..invalid"}),
              StartsWith("the host cannot be resolved: "));
}

// Root may bind and write anywhere.
class WithoutRoot {
 public:
  WithoutRoot() { EXPECT_EQ(seteuid(before_ == 0 ? 65534 : before_), 0); }
  ~WithoutRoot() { EXPECT_EQ(seteuid(before_), 0); }

 private:
  const uid_t before_ = geteuid();
};

TEST(ListeningSocketTest, LowPortsNeedARight) {
  int lowest_free = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_unprivileged_port_start") >> lowest_free;
  if (lowest_free <= 1) GTEST_SKIP() << "every port is free to all here";
  const WithoutRoot nobody;
  EXPECT_EQ(ErrorOf({.host = "127.0.0.1", .port = 1}), "Permission denied");
}

TEST(ListeningSocketTest, LackOfDescriptorsIsSaid) {
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const std::string error = ErrorOf({.host = "127.0.0.1"});
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(error, "Too many open files");
}

class UnixSocketTest : public testing::Test {
 protected:
  UnixSocketTest() {
    char directory[] = "/tmp/deberta_socket_XXXXXX";
    EXPECT_NE(mkdtemp(directory), nullptr);
    directory_ = directory;
    address_.path = directory_ / "s";
  }
  ~UnixSocketTest() override { std::filesystem::remove_all(directory_); }

  absl::StatusOr<ListeningSockets> Open() const {
    return ListeningSockets::Open(address_);
  }
  bool FileIsThere() const { return std::filesystem::exists(address_.path); }

  std::filesystem::path directory_;
  Address address_;
};

TEST_F(UnixSocketTest, FileLivesAsLongAsTheSocket) {
  {
    const auto sockets = Open();
    ASSERT_TRUE(sockets.ok()) << sockets.status();
    EXPECT_EQ(sockets->port(), 0);
    EXPECT_TRUE(Connection(address_).ok());
  }
  EXPECT_FALSE(FileIsThere());
}

TEST_F(UnixSocketTest, FileOfAnEndedServerIsReplaced) {
  {
    auto ended = Open();
    ASSERT_TRUE(ended.ok()) << ended.status();
    // As after a kill: the socket closes, its file stays.
    for (const int descriptor : ended->ReleaseDescriptors()) close(descriptor);
    ASSERT_TRUE(FileIsThere());
    const auto sockets = Open();
    ASSERT_TRUE(sockets.ok()) << sockets.status();
    EXPECT_TRUE(Connection(address_).ok());
  }
  EXPECT_FALSE(FileIsThere());
}

TEST_F(UnixSocketTest, FileOfItsSuccessorStays) {
  auto first = std::make_optional(Open());
  ASSERT_TRUE((*first).ok()) << (*first).status();
  std::filesystem::remove(address_.path);
  const auto second = Open();
  ASSERT_TRUE(second.ok()) << second.status();
  first.reset();
  EXPECT_TRUE(Connection(address_).ok());
}

TEST_F(UnixSocketTest, LivingServerKeepsItsFile) {
  const auto living = Open();
  ASSERT_TRUE(living.ok()) << living.status();
  EXPECT_EQ(ErrorOf(address_),
            "Address already in use: a process listens there");
  EXPECT_TRUE(Connection(address_).ok());
}

TEST_F(UnixSocketTest, OtherFilesStay) {
  std::ofstream(address_.path) << "precious";
  EXPECT_EQ(ErrorOf(address_),
            "Address already in use: the file there is no socket");
  EXPECT_TRUE(FileIsThere());
  std::filesystem::remove(address_.path);
  std::filesystem::create_symlink("/nowhere", address_.path);
  EXPECT_THAT(ErrorOf(address_), HasSubstr("no socket"));
  std::filesystem::remove(address_.path);
  std::filesystem::create_directory(address_.path);
  EXPECT_THAT(ErrorOf(address_), HasSubstr("no socket"));
}

TEST_F(UnixSocketTest, ReasonsAreTheSystems) {
  EXPECT_EQ(ErrorOf({.path = directory_ / "absent" / "s"}),
            "No such file or directory");
  std::ofstream(directory_ / "file") << "";
  EXPECT_EQ(ErrorOf({.path = directory_ / "file" / "s"}), "Not a directory");
  EXPECT_EQ(ErrorOf({.path = "/" + std::string(200, 'p')}),
            "File name too long");
}

TEST_F(UnixSocketTest, DirectoryMustBeWritable) {
  ASSERT_EQ(chmod(directory_.c_str(), 0500), 0);
  {
    const WithoutRoot nobody;
    EXPECT_EQ(ErrorOf(address_), "Permission denied");
  }
  ASSERT_EQ(chmod(directory_.c_str(), 0700), 0);
}

TEST_F(UnixSocketTest, UmaskSaysWhoMayConnect) {
  const mode_t before = umask(0077);
  const auto sockets = Open();
  umask(before);
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  struct stat status = {};
  ASSERT_EQ(stat(address_.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

}  // namespace
}  // namespace deberta::server
