// ExtractEntities, ExtractStructured and Rerank over the wire.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "server/rpc/service.h"
#include "tests/server/rpc/test_server.h"

namespace deberta::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LabelTasksTest : public testing::Test {
 protected:
  grpc::Status Extract(const v1::ExtractEntitiesRequest& request,
                       v1::ExtractEntitiesResponse* response) {
    grpc::ClientContext context;
    return server_.stub().ExtractEntities(&context, request, response);
  }
  grpc::Status Rerank(const v1::RerankRequest& request,
                      v1::RerankResponse* response) {
    grpc::ClientContext context;
    return server_.stub().Rerank(&context, request, response);
  }

  TestServer server_{{.extractor = true, .schemer = true}};
};

// A text, and as many labels as `labels`.
v1::ExtractEntitiesRequest Ask(const std::string& text, int labels) {
  v1::ExtractEntitiesRequest request;
  request.add_inputs(text);
  for (int i = 0; i < labels; ++i) {
    request.add_labels()->set_name("x" + std::to_string(i));
  }
  return request;
}

std::vector<std::string> Found(const v1::ExtractEntitiesResult& result) {
  std::vector<std::string> found;
  for (const v1::ExtractedEntity& entity : result.entities()) {
    found.push_back(entity.text() + ": " + entity.label());
  }
  return found;
}

TEST_F(LabelTasksTest, ExtractEntitiesAnswers) {
  v1::ExtractEntitiesRequest request = Ask("\u00e9 b c", 2);
  request.set_top_k(1);
  request.set_offset_unit(v1::OFFSET_UNIT_UTF8_BYTES);
  v1::ExtractEntitiesResponse response;
  const grpc::Status status = Extract(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.results_size(), 1);
  EXPECT_THAT(Found(response.results(0)),
              ElementsAre("\u00e9: x0", "b: x1", "c: x0"));
  const v1::ExtractedEntity& second = response.results(0).entities(1);
  EXPECT_EQ(second.start(), 3);
  EXPECT_EQ(second.end(), 4);
  EXPECT_EQ(second.label_index(), 1);
  EXPECT_FLOAT_EQ(second.score(), 0.7310586f);
  ASSERT_EQ(second.labels_size(), 1);
  EXPECT_EQ(second.labels(0).index(), 1);
  EXPECT_EQ(response.model().name(), "extractor");
  EXPECT_EQ(response.results(0).coverage().windows(), 1);
  EXPECT_EQ(response.timing().batch_tokens(),
            response.results(0).coverage().tokens_total());
}

TEST_F(LabelTasksTest, WhiteSpaceAloneIsAnsweredWithoutABatch) {
  v1::ExtractEntitiesResponse response;
  const grpc::Status status = Extract(Ask(" \t ", 1), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.results_size(), 1);
  EXPECT_EQ(response.results(0).entities_size(), 0);
  EXPECT_EQ(response.results(0).coverage().windows(), 0);
  EXPECT_EQ(response.model().name(), "extractor");
  EXPECT_EQ(server_.batches(), 0);
  server_.WaitForReports(1);
  EXPECT_TRUE(server_.reports()[0].accepted);
  EXPECT_EQ(server_.reports()[0].method, "extract_entities");
}

TEST_F(LabelTasksTest, CallersWithOtherLabelsGetWhatTheyGetAlone) {
  constexpr int kCallers = 64;
  std::vector<v1::ExtractEntitiesRequest> requests;
  std::vector<std::vector<std::string>> alone;
  for (int i = 0; i < kCallers; ++i) {
    requests.push_back(Ask(i % 2 == 0 ? "a b c d" : "e f", 1 + i % 5));
    requests.back().set_multi_label(i % 3 == 0);
    v1::ExtractEntitiesResponse response;
    ASSERT_TRUE(Extract(requests.back(), &response).ok());
    alone.push_back(Found(response.results(0)));
  }
  std::vector<std::vector<std::string>> together(kCallers);
  std::vector<std::thread> callers;
  for (size_t i = 0; i < kCallers; ++i) {
    callers.emplace_back([&, i] {
      v1::ExtractEntitiesResponse response;
      grpc::Status status;
      do {
        status = Extract(requests[i], &response);
      } while (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
      if (status.ok()) together[i] = Found(response.results(0));
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(together, alone);
}

TEST_F(LabelTasksTest, ErrorsNameTheField) {
  v1::ExtractEntitiesResponse response;
  v1::ExtractEntitiesRequest request = Ask("a", 2);
  request.mutable_labels(1)->set_name("x [MASK]");
  EXPECT_EQ(DetailsOf(Extract(request, &response)).field(), "labels[1].name");
  request = Ask("a", 1);
  request.mutable_labels(0)->set_threshold(1.5f);
  EXPECT_EQ(DetailsOf(Extract(request, &response)).field(),
            "labels[0].threshold");
  request = Ask("a", 1);
  request.set_overlap(static_cast<v1::Overlap>(7));
  EXPECT_EQ(DetailsOf(Extract(request, &response)).field(), "overlap");
  const grpc::Status status = Extract(Ask("1 2 3 4 5 6 7 8 9", 1), &response);
  EXPECT_EQ(DetailsOf(status).field(), "inputs[0]");
  EXPECT_THAT(status.error_message(), HasSubstr("has 9 words, the limit is 8"));

  request = Ask("a", 1);
  request.set_model("labels");
  EXPECT_EQ(Extract(request, &response).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(LabelTasksTest, ExtractStructuredAnswers) {
  v1::ExtractStructuredRequest request;
  request.add_inputs("\u00e9 b");
  request.set_offset_unit(v1::OFFSET_UNIT_UTF8_BYTES);
  v1::StructureSchema& schema = *request.add_structures();
  schema.set_name("thing");
  schema.add_fields()->set_name("first");
  schema.add_fields()->set_name("second");
  request.add_relations()->set_name("of");
  const auto ask = [&](v1::ExtractStructuredResponse* response) {
    grpc::ClientContext context;
    return server_.stub().ExtractStructured(&context, request, response);
  };
  v1::ExtractStructuredResponse response;
  const grpc::Status status = ask(&response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.model().name(), "schemer");
  ASSERT_EQ(response.results_size(), 1);
  const v1::ExtractStructuredResult& result = response.results(0);
  ASSERT_EQ(result.structures_size(), 1);
  EXPECT_EQ(result.structures(0).name(), "thing");
  ASSERT_EQ(result.structures(0).fields_size(), 2);
  const v1::ExtractedValue& value = result.structures(0).fields(1).values(0);
  EXPECT_EQ(value.text(), "b");
  EXPECT_EQ(value.start(), 3);
  EXPECT_EQ(value.end(), 4);
  ASSERT_EQ(result.relations_size(), 1);
  EXPECT_EQ(result.relations(0).head().text(), "\u00e9");
  EXPECT_EQ(result.relations(0).tail().text(), "b");
  EXPECT_EQ(result.coverage().windows(), 1);
  server_.WaitForReports(1);
  EXPECT_EQ(server_.reports()[0].method, "extract_structured");

  request.mutable_structures(0)->mutable_fields(1)->set_type(
      static_cast<v1::FieldType>(7));
  EXPECT_EQ(DetailsOf(ask(&response)).field(), "type");
  request.mutable_structures(0)->mutable_fields(1)->set_type(
      v1::FIELD_TYPE_STR);
  request.mutable_relations(0)->clear_name();
  EXPECT_EQ(DetailsOf(ask(&response)).field(), "relations[0].name");
  request.mutable_relations(0)->set_name("of");
  request.set_model("extractor");
  EXPECT_EQ(ask(&response).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(LabelTasksTest, RerankOrdersDocuments) {
  v1::RerankRequest request;
  request.set_query("who");
  for (const char* document : {"one", "one two three", "one two", "one"}) {
    request.add_documents(document);
  }
  request.set_raw_scores(true);
  v1::RerankResponse response;
  const grpc::Status status = Rerank(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  std::vector<int> order;
  for (const v1::RerankResult& result : response.results()) {
    order.push_back(result.index());
    EXPECT_EQ(result.score(),
              static_cast<float>(result.coverage().tokens_total()));
  }
  EXPECT_THAT(order, ElementsAre(1, 2, 0, 3));
  EXPECT_EQ(response.model().name(), "ranker");
  // The equal documents are computed once.
  EXPECT_EQ(response.timing().batch_inputs(), 3);

  request.set_top_k(1);
  ASSERT_TRUE(Rerank(request, &response).ok());
  EXPECT_EQ(response.results_size(), 1);
  request.set_documents(2, "");
  EXPECT_EQ(DetailsOf(Rerank(request, &response)).field(), "documents[2]");
}

TEST_F(LabelTasksTest, GetModelTellsTheLimits) {
  grpc::ClientContext context;
  v1::GetModelRequest request;
  request.set_model("extractor");
  v1::GetModelResponse response;
  ASSERT_TRUE(server_.stub().GetModel(&context, request, &response).ok());
  EXPECT_EQ(response.max_words(), 8);
  EXPECT_EQ(response.max_span_words(), 2);
  EXPECT_EQ(response.architecture(), "gliner markerV0");
  EXPECT_THAT(response.model().tasks(),
              ElementsAre(v1::TASK_EXTRACT_ENTITIES, v1::TASK_ENCODE));
}

}  // namespace
}  // namespace deberta::server
