// Requests of a message's fields at random, and random changes of their bytes.

#ifndef TESTS_SERVER_RPC_RANDOM_REQUESTS_H_
#define TESTS_SERVER_RPC_RANDOM_REQUESTS_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>

namespace deberta::server {

class RandomRequests {
 public:
  // `adjust` may change a message before its bytes are; none: nothing.
  explicit RandomRequests(
      uint32_t seed,
      std::function<void(google::protobuf::Message*)> adjust = nullptr);

  size_t Below(size_t count) { return random_() % count; }

  // A message of `type`, whose models and texts are often those of TestServer.
  std::string Bytes(const google::protobuf::Descriptor& type);

  // Changes, removes, adds or repeats some bytes.
  void Mutate(std::string* bytes);

 private:
  std::string Text();
  int64_t Number();
  void Fill(google::protobuf::Message* message);
  void Set(google::protobuf::Message* message,
           const google::protobuf::FieldDescriptor* field);

  std::mt19937 random_;
  const std::function<void(google::protobuf::Message*)> adjust_;
};

}  // namespace deberta::server

#endif  // TESTS_SERVER_RPC_RANDOM_REQUESTS_H_
