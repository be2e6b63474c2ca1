#include "tools/client/error_line.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace deberta::tools {
namespace {

grpc::Status BadInput(const std::string& message, const std::string& field,
                      const std::string& description) {
  google::rpc::BadRequest bad_request;
  auto* violation = bad_request.add_field_violations();
  violation->set_field(field);
  violation->set_description(description);
  google::rpc::Status details;
  details.add_details()->PackFrom(bad_request);
  return {grpc::StatusCode::INVALID_ARGUMENT, message,
          details.SerializeAsString()};
}

TEST(ErrorLineTest, ShowsCodeMessageAndViolations) {
  EXPECT_EQ(ErrorLine(BadInput("bad\ninput", "inputs[3].text", "is empty")),
            "INVALID_ARGUMENT: bad input (inputs[3].text: is empty)");
}

TEST(ErrorLineTest, DoesNotRepeatADescription) {
  EXPECT_EQ(ErrorLine(BadInput("is empty", "inputs[3]", "is empty")),
            "INVALID_ARGUMENT: is empty (inputs[3])");
  EXPECT_EQ(ErrorLine(BadInput("top_k: is negative", "top_k", "is negative")),
            "INVALID_ARGUMENT: top_k: is negative");
}

TEST(ErrorLineTest, JsonIsOneLine) {
  const std::string json =
      ErrorJson(BadInput("is \"empty\"\n", "inputs[0]", "is empty"));
  EXPECT_EQ(json.find('\n'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false),
            nlohmann::json::parse(R"({"error": {
              "code": "INVALID_ARGUMENT",
              "message": "is \"empty\"\n",
              "field_violations": [
                {"field": "inputs[0]", "description": "is empty"}]}})"));
}

TEST(ErrorLineTest, DetailsThatAreNoStatusAreIgnored) {
  EXPECT_TRUE(
      FieldViolations({grpc::StatusCode::UNKNOWN, "x", "\xff\xff"}).empty());
}

}  // namespace
}  // namespace deberta::tools
