#include "server/rpc/listener.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/server/base/connect.h"
#include "tests/server/rpc/test_server.h"

namespace deberta::server {
namespace {

// grpc.health.v1.HealthCheckResponse with a status of 1 or 2.
constexpr char kServing[] = "\x08\x01";
constexpr char kNotServing[] = "\x08\x02";

// The bytes of the answer, or of the error's code.
std::string CheckHealth(const std::shared_ptr<grpc::Channel>& channel,
                        const std::string& service) {
  const std::string request =
      service.empty()
          ? ""
          : absl::StrCat("\x0a",
                         std::string(1, static_cast<char>(service.size())),
                         service);
  const grpc::Slice slice(request);
  const grpc::ByteBuffer message(&slice, 1);
  grpc::ByteBuffer answer;
  grpc::ClientContext context;
  grpc::GenericStub stub(channel);
  std::promise<grpc::Status> done;
  stub.UnaryCall(
      &context, "/grpc.health.v1.Health/Check", {}, &message, &answer,
      [&](grpc::Status status) { done.set_value(std::move(status)); });
  const grpc::Status status = done.get_future().get();
  if (!status.ok()) return absl::StrCat("code ", status.error_code());
  grpc::Slice bytes;
  if (!answer.DumpToSingleSlice(&bytes).ok()) return "no answer";
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

std::shared_ptr<grpc::Channel> ConnectTo(const std::string& target) {
  return grpc::CreateChannel(target, grpc::InsecureChannelCredentials());
}

std::shared_ptr<grpc::Channel> Connect(const Listener& listener) {
  return ConnectTo(absl::StrCat("127.0.0.1:", listener.port()));
}

TEST(ListenerTest, EachModelHasAHealthOfItsOwn) {
  TestServer server;
  const auto channel = Connect(server.listener());
  EXPECT_EQ(CheckHealth(channel, "model/m"),
            absl::StrCat("code ", grpc::StatusCode::NOT_FOUND));
  server.listener().SetModelServing("m", true);
  EXPECT_EQ(CheckHealth(channel, "model/m"), kServing);
  EXPECT_EQ(CheckHealth(channel, ""), kNotServing);
  server.listener().SetModelServing("m", false);
  EXPECT_EQ(CheckHealth(channel, "model/m"), kNotServing);
}

TEST(ListenerTest, HealthFollowsSetServing) {
  TestServer server;
  const auto channel = Connect(server.listener());
  for (const char* service : {"", "deberta.v1.DebertaService"}) {
    EXPECT_EQ(CheckHealth(channel, service), kNotServing);
    server.listener().SetServing(true);
    EXPECT_EQ(CheckHealth(channel, service), kServing);
    server.listener().SetServing(false);
    EXPECT_EQ(CheckHealth(channel, service), kNotServing);
  }
  EXPECT_EQ(CheckHealth(channel, "other"),
            absl::StrCat("code ", grpc::StatusCode::NOT_FOUND));
}

// A server on an empty repository, or one that drains, was restarted by a
// liveness probe that asked for "".
TEST(ListenerTest, IsAliveWithoutModels) {
  v1::DebertaService::CallbackService service;
  const auto listener =
      Listener::Start({.address = {.host = "127.0.0.1"},
                       .health_address = Address{.host = "127.0.0.1"}},
                      &service);
  ASSERT_TRUE(listener.ok()) << listener.status();
  for (const int port : {(*listener)->port(), (*listener)->health_port()}) {
    const auto channel = ConnectTo(absl::StrCat("127.0.0.1:", port));
    EXPECT_EQ(CheckHealth(channel, ""), kNotServing);
    EXPECT_EQ(CheckHealth(channel, "liveness"), kServing);
    (*listener)->SetServing(true);
    (*listener)->SetServing(false);
    EXPECT_EQ(CheckHealth(channel, "liveness"), kServing);
  }
}

// gRPC's health is SERVING until it is told otherwise: who asked in time was
// sent calls while models were loading.
TEST(ListenerTest, HealthIsNeverServingBeforeItIsSet) {
  const std::string path =
      absl::StrCat(testing::TempDir(), "early-", getpid(), ".sock");
  const auto address = ParseAddress("unix:" + path);
  ASSERT_TRUE(address.ok());
  Service service({});
  for (int start = 0; start < 10; ++start) {
    // Asks as soon as there is a socket.
    std::future<std::string> first = std::async(std::launch::async, [&path] {
      while (access(path.c_str(), F_OK) != 0) std::this_thread::yield();
      return CheckHealth(ConnectTo("unix:" + path), "");
    });
    const auto listener =
        Listener::Start({.address = *address,
                         .health_address = ParseAddress("127.0.0.1:0").value()},
                        &service);
    ASSERT_TRUE(listener.ok()) << listener.status();
    EXPECT_NE(first.get(), kServing);
  }
}

TEST(ListenerTest, PortInUseIsOneError) {
  TestServer server;
  v1::DebertaService::CallbackService other;
  const Address address = {.host = "127.0.0.1",
                           .port = server.listener().port()};
  const auto second = Listener::Start({.address = address}, &other);
  EXPECT_EQ(second.status().message(),
            absl::StrCat("cannot listen on ", address.ToString(),
                         ": Address already in use"));
}

TEST(ListenerTest, ListensOnIpv6) {
  if (!HaveIpv6()) GTEST_SKIP() << "no IPv6 here";
  for (const char* host : {"::1", "::"}) {
    v1::DebertaService::CallbackService service;
    const auto listener =
        Listener::Start({.address = {.host = host}}, &service);
    ASSERT_TRUE(listener.ok()) << listener.status();
    const auto channel = ConnectTo(absl::StrCat("[::1]:", (*listener)->port()));
    EXPECT_EQ(CheckHealth(channel, ""), kNotServing) << host;
  }
}

TEST(ListenerTest, ListensOnAUnixSocketAndRemovesItsFile) {
  // Characters that a URI, as which gRPC reads the address, must not hold.
  const Address address = {
      .path = absl::StrCat("/tmp/deberta listener%41?#_", getpid())};
  v1::DebertaService::CallbackService service;
  {
    const auto listener = Listener::Start({.address = address}, &service);
    ASSERT_TRUE(listener.ok()) << listener.status();
    EXPECT_EQ((*listener)->port(), 0);
    EXPECT_TRUE(Connection(address).ok());
    v1::DebertaService::CallbackService other;
    const auto second = Listener::Start({.address = address}, &other);
    EXPECT_EQ(second.status().message(),
              absl::StrCat("cannot listen on unix:", address.path,
                           ": Address already in use: a process listens "
                           "there"));
    EXPECT_TRUE(Connection(address).ok());
  }
  EXPECT_EQ(access(address.path.c_str(), F_OK), -1);
}

TEST(ListenerTest, RequestAboveTheLimitIsRefused) {
  v1::DebertaService::CallbackService service;
  auto listener = Listener::Start(
      {.address = {.host = "127.0.0.1"}, .limits = {.max_request_bytes = 2048}},
      &service);
  ASSERT_TRUE(listener.ok()) << listener.status();
  const auto stub = v1::DebertaService::NewStub(Connect(**listener));
  grpc::ClientContext context;
  v1::ClassifyResponse response;
  const grpc::Status status =
      stub->Classify(&context, ClassifyText(std::string(4096, 'a')), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

}  // namespace
}  // namespace deberta::server
