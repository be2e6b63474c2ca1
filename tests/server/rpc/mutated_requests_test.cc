#include "tests/server/rpc/mutated_requests.h"

#include <gtest/gtest.h>

namespace deberta::server {
namespace {

TEST(MutatedRequestsTest, EachIsAnsweredOnceAndNoneIsTheServersFault) {
  TestServer server({.second_classifier = true,
                     .judge = true,
                     .extractor = true,
                     .schemer = true});
  SendMutatedRequests("deberta.v1.DebertaService", &server);
}

}  // namespace
}  // namespace deberta::server
