#include "server/security/exposure.h"

#include <gtest/gtest.h>

namespace deberta::server {
namespace {

TEST(ExposureTest, IsWhatOthersReachUnguarded) {
  for (const char* host : {"0.0.0.0", "::", "10.0.0.1", "example.org"}) {
    const Address address = {.host = host};
    EXPECT_TRUE(IsExposed({.address = address})) << host;
    EXPECT_TRUE(IsExposed({.address = address, .tls = true})) << host;
    EXPECT_TRUE(IsExposed({.address = address, .tokens = true})) << host;
    EXPECT_FALSE(IsExposed({.address = address, .tls = true, .tokens = true}))
        << host;
  }
  for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "localhost"})
    EXPECT_FALSE(IsExposed({.address = {.host = host}})) << host;
  EXPECT_FALSE(IsExposed({.address = {.path = "/tmp/socket"}}));
}

}  // namespace
}  // namespace deberta::server
