// Requests made at random, and their bytes changed at random, through the real
// handlers. More of them, with other seeds:
//
//   rpc_mutated_test --gtest_shuffle --gtest_repeat=1000

#ifndef TESTS_SERVER_RPC_MUTATED_REQUESTS_H_
#define TESTS_SERVER_RPC_MUTATED_REQUESTS_H_

#include <google/protobuf/message.h>

#include <functional>
#include <string>

#include "tests/server/rpc/test_server.h"

namespace deberta::server {

// Sends some thousand requests to all methods of the service `name`: expects
// what CheckedCalls does. `adjust` may change a message before its bytes are.
void SendMutatedRequests(
    const std::string& name, TestServer* server,
    const std::function<void(google::protobuf::Message*)>& adjust = nullptr);

}  // namespace deberta::server

#endif  // TESTS_SERVER_RPC_MUTATED_REQUESTS_H_
