#include "server/base/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace deberta::server {
namespace {

using testing::HasSubstr;

TEST(AddressTest, ReadsWhatItWrites) {
  const std::vector<std::pair<std::string, Address>> cases = {
      {"127.0.0.1:50051", {.host = "127.0.0.1", .port = 50051}},
      {"0.0.0.0:0", {.host = "0.0.0.0", .port = 0}},
      {"localhost:65535", {.host = "localhost", .port = 65535}},
      {"my_host-1.example:1", {.host = "my_host-1.example", .port = 1}},
      {"[::1]:9090", {.host = "::1", .port = 9090}},
      {"[::]:9090", {.host = "::", .port = 9090}},
      {"[::ffff:127.0.0.1]:1", {.host = "::ffff:127.0.0.1", .port = 1}},
      {"[fe80::1%eth0]:7", {.host = "fe80::1%eth0", .port = 7}},
      {"unix:/run/deberta.sock", {.path = "/run/deberta.sock"}},
      {"unix:/a b%:1", {.path = "/a b%:1"}},
      {"unix:/" + std::string(106, 'p'), {.path = "/" + std::string(106, 'p')}},
  };
  for (const auto& [text, expected] : cases) {
    const auto address = ParseAddress(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(*address, expected) << text;
    EXPECT_EQ(address->ToString(), text);
  }
}

TEST(AddressTest, SaysWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "no port"},
      {"nowhere", "no port"},
      {"[::1]", "no port"},
      {"50051", "no port"},
      {"127.0.0.1:", "the port must be a number from 0 to 65535"},
      {"127.0.0.1:65536", "the port must be"},
      {"127.0.0.1:000080", "the port must be"},
      {"127.0.0.1:99999999999999999999", "the port must be"},
      {"127.0.0.1:-1", "the port must be"},
      {"127.0.0.1:+1", "the port must be"},
      {"127.0.0.1: 1", "the port must be"},
      {"127.0.0.1:http", "the port must be"},
      {":9090", "there is no host"},
      {"::1:9090", "an IPv6 address needs brackets"},
      {":::9090", "an IPv6 address needs brackets"},
      {"ipv4:127.0.0.1:1", "an IPv6 address needs brackets"},
      {"[127.0.0.1]:1", "no IPv6 address stands in the brackets"},
      {"[::1:1", "needs brackets"},
      {"[]:1", "no IPv6 address"},
      {"[::1%]:1", "no IPv6 address"},
      {"[::g]:1", "no IPv6 address"},
      {"*:1", "the host has characters"},
      {"a host:1", "the host has characters"},
      {"http//host:1", "the host has characters"},
      {"1.2.3.256:1", "the host is no IPv4 address"},
      {"1.2.3.4.5:1", "the host is no IPv4 address"},
      {"unix:", "the path must begin with /"},
      {"unix:run/a.sock", "the path must begin with /"},
      {"unix:/" + std::string(107, 'p'), "the path has 108 bytes"},
      {"two\nlines:1\n", "got \"two\\nlines:1\\n\": the port"},
  };
  for (const auto& [text, fault] : cases) {
    const auto address = ParseAddress(text);
    ASSERT_FALSE(address.ok()) << text;
    const std::string message(address.status().message());
    EXPECT_EQ(message.rfind("expected HOST:PORT, [IPV6]:PORT or unix:/PATH, "
                            "got \"",
                            0),
              0u)
        << message;
    EXPECT_THAT(message, HasSubstr(fault)) << text;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace deberta::server
