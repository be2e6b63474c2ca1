// Any bytes to any method of a service, and what every answer promises.

#ifndef TESTS_SERVER_RPC_CHECKED_CALLS_H_
#define TESTS_SERVER_RPC_CHECKED_CALLS_H_

#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <string>
#include <vector>

#include "grpcpp/generic/generic_stub.h"
#include "tests/server/rpc/test_server.h"

namespace deberta::server {

class CheckedCalls {
 public:
  using Methods = std::vector<const google::protobuf::MethodDescriptor*>;

  // Of the service `name` of `server`, which outlives this.
  CheckedCalls(const std::string& name, TestServer* server);

  // Without those of the server as a whole, which are not reported.
  const Methods& methods() const { return methods_; }

  // Sends `bytes` as the only request; expects an answer of the method's type,
  // or an error that is not the server's fault and has its reason. Whether it
  // was an answer.
  bool Unary(const google::protobuf::MethodDescriptor& method,
             const std::string& bytes);

  // Sends `bytes` twice on one stream; expects as much of each answer and of
  // the stream's end. How many answers came.
  size_t Stream(const google::protobuf::MethodDescriptor& method,
                const std::string& bytes);

  // Lets what runs end. Expects that each unary call was reported once, and
  // that nothing is held.
  void Finish();

 private:
  TestServer* const server_;
  Methods methods_;
  grpc::GenericStub stub_;
  size_t unary_calls_ = 0;
  size_t streams_ = 0;
};

}  // namespace deberta::server

#endif  // TESTS_SERVER_RPC_CHECKED_CALLS_H_
