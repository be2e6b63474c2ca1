#include "server/rpc/reflection.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "deberta/v1/deberta.pb.h"

namespace deberta::server {
namespace {

using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;
using testing::Contains;

class ReflectionTest : public testing::Test {
 protected:
  // Names of the files that an answer brings.
  static std::set<std::string> Files(const ServerReflectionResponse& answer) {
    std::set<std::string> names;
    for (const std::string& bytes :
         answer.file_descriptor_response().file_descriptor_proto()) {
      google::protobuf::FileDescriptorProto file;
      EXPECT_TRUE(file.ParseFromString(bytes));
      EXPECT_TRUE(names.insert(file.name()).second) << "twice";
    }
    return names;
  }
  ServerReflectionResponse Symbol(const std::string& name) const {
    ServerReflectionRequest request;
    request.set_file_containing_symbol(name);
    return reflection_.Answer(request);
  }

  Reflection reflection_{{"deberta.v1.DebertaService"}, [] {}};
};

TEST_F(ReflectionTest, ListsTheServices) {
  ServerReflectionRequest request;
  request.set_host("h");
  request.set_list_services("");
  const ServerReflectionResponse answer = reflection_.Answer(request);
  EXPECT_EQ(answer.valid_host(), "h");
  EXPECT_TRUE(answer.original_request().has_list_services());
  std::vector<std::string> names;
  for (const auto& service : answer.list_services_response().service())
    names.push_back(service.name());
  EXPECT_THAT(names, Contains("deberta.v1.DebertaService"));
}

TEST_F(ReflectionTest, FindsSymbolsAndFiles) {
  // The file is known once a message of it is.
  ASSERT_NE(v1::ClassifyRequest::descriptor(), nullptr);
  for (const char* symbol :
       {"deberta.v1.DebertaService", "deberta.v1.DebertaService.Classify",
        "deberta.v1.ClassifyRequest"}) {
    EXPECT_THAT(Files(Symbol(symbol)), Contains("deberta/v1/deberta.proto"))
        << symbol;
  }
  ServerReflectionRequest request;
  request.set_file_by_filename("deberta/v1/deberta.proto");
  EXPECT_THAT(Files(reflection_.Answer(request)),
              Contains("deberta/v1/deberta.proto"));
}

TEST_F(ReflectionTest, WhatThereIsNotIsAnError) {
  EXPECT_EQ(Symbol("deberta.v1.Nothing").error_response().error_code(), 5);
  EXPECT_EQ(Symbol("").error_response().error_code(), 5);
  ServerReflectionRequest request;
  request.set_file_by_filename("../../etc/passwd");
  EXPECT_EQ(reflection_.Answer(request).error_response().error_code(), 5);
  EXPECT_TRUE(reflection_.Answer({}).has_error_response());
}

}  // namespace
}  // namespace deberta::server
