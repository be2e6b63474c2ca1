#include "tests/server/rpc/mutated_requests.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/server/rpc/checked_calls.h"
#include "tests/server/rpc/random_requests.h"

namespace deberta::server {

void SendMutatedRequests(
    const std::string& name, TestServer* server,
    const std::function<void(google::protobuf::Message*)>& adjust) {
  constexpr int kRequests = 4000;
  const auto seed =
      static_cast<uint32_t>(testing::UnitTest::GetInstance()->random_seed());
  RandomRequests requests(seed, adjust);
  CheckedCalls calls(name, server);
  ASSERT_FALSE(calls.methods().empty());
  size_t answers = 0;
  for (int i = 0; i < kRequests; ++i) {
    const auto& method =
        *calls.methods()[requests.Below(calls.methods().size())];
    const std::string bytes = requests.Bytes(*method.input_type());
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", request " << i
                                    << " of " << method.name());
    answers += method.client_streaming() ? calls.Stream(method, bytes)
                                         : calls.Unary(method, bytes);
  }
  EXPECT_GT(answers, kRequests / 50);
  calls.Finish();
}

}  // namespace deberta::server
