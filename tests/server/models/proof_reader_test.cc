#include "server/models/proof_reader.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::server {
namespace {

using ::testing::HasSubstr;

absl::Status Read(const std::string& text, std::vector<Proof>* proofs) {
  const absl::StatusOr<json::Value> value = json::Parse(text, {});
  if (!value.ok()) return value.status();
  return ReadProofs(*value, proofs);
}

std::string Refusal(const std::string& text) {
  std::vector<Proof> proofs;
  const absl::Status status = Read(text, &proofs);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

TEST(ProofReaderTest, ReadsEveryTask) {
  std::vector<Proof> proofs;
  const absl::Status status = Read(
      R"([{"task": "classify", "text": "a", "label": "L", "score": 0.5},
          {"task": "classify", "text": "a", "text_pair": "b", "label": "L"},
          {"task": "classify", "text": "a", "choices": ["b", "c"],
           "label": "c", "score": 1, "tolerance": 0},
          {"task": "tag_tokens", "text": "a", "label": "T"},
          {"task": "answer_question", "text": "a", "question": "q",
           "label": "the answer"},
          {"task": "fill_mask", "text": "[MASK]", "label": " x"},
          {"task": "zero_shot", "text": "a", "labels": ["b", "c"],
           "label": "b", "tolerance": 1}])",
      &proofs);
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_EQ(proofs.size(), 7u);
  EXPECT_EQ(proofs[0].score, 0.5);
  EXPECT_EQ(proofs[0].tolerance, 0.01);
  EXPECT_EQ(proofs[1].score, std::nullopt);
  EXPECT_EQ(proofs[1].input.text_pair, "b");
  EXPECT_EQ(proofs[2].input.choices, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(proofs[2].tolerance, 0);
  EXPECT_EQ(proofs[4].task, TaskKind::kAnswerQuestion);
  EXPECT_EQ(proofs[4].input.text_pair, "q");
  EXPECT_EQ(proofs[6].labels, (std::vector<std::string>{"b", "c"}));
}

TEST(ProofReaderTest, SaysWhichFieldIsWrong) {
  const auto refusal = [](const std::string& fields) {
    return Refusal(
        absl::StrCat(R"([{"task": "classify", "text": "a", "label": "L"}, {)",
                     fields, "}]"));
  };
  const std::string good = R"("task": "classify", "text": "a", "label": "L")";
  for (const auto& [fields, expected] :
       std::vector<std::pair<std::string, std::string>>{
           {"", "proofs[1]: expected a task"},
           {R"("task": 3)", "proofs[1].task: expected a string, got number"},
           {R"("task": "encode")", "proofs[1].task: expected classify, "},
           {R"("task": "rerank")", "proofs[1].task: expected classify, "},
           {R"("task": "extract_entities", "text": "a", "label": "L")",
            "labels for zero_shot and extract_entities"},
           {R"("task": "nonsense")", "got \"nonsense\""},
           {R"("task": "classify", "label": "L")", "expected a text"},
           {R"("task": "classify", "text": "a")", "expected a label"},
           {R"("task": "classify", "text": "", "label": "L")",
            "proofs[1].text: expected 1 to"},
           {R"("task": "classify", "text": null, "label": "L")",
            "proofs[1].text: expected a string, got null"},
           {good + R"(, "score": "0.5")", "proofs[1].score: expected a number"},
           {good + R"(, "score": 1.5)", "expected 0 to 1, got 1.5"},
           {good + R"(, "score": -1e400)", ""},
           {good + R"(, "tolerance": -0.1)", "proofs[1].tolerance"},
           {good + R"(, "question": "q")", "a question for answer_question"},
           {good + R"(, "labels": ["b"])", "labels for zero_shot"},
           {good + R"(, "choices": [])",
            "proofs[1].choices: expected 1 to 100"},
           {good + R"(, "choices": [1])", "proofs[1].choices[0]"},
           {good + R"(, "choices": ["b"], "text_pair": "c")", "at most one of"},
           {good + R"(, "extra": 1)", "proofs[1].extra: expected task, text"},
           {R"("task": "answer_question", "text": "a", "label": "L")",
            "a question for answer_question"},
           {R"("task": "zero_shot", "text": "a", "label": "L")",
            "labels for zero_shot"},
           {R"("task": "fill_mask", "text": "a", "label": "L",
               "text_pair": "b")",
            "text_pair for classify alone"},
       }) {
    EXPECT_THAT(refusal(fields), HasSubstr(expected)) << fields;
  }
}

TEST(ProofReaderTest, BoundsWhatItTakes) {
  EXPECT_THAT(Refusal("{}"), HasSubstr("proofs: expected an array"));
  EXPECT_THAT(Refusal("[]"), HasSubstr("proofs: expected 1 to 100, got 0"));
  EXPECT_THAT(Refusal("[1]"), HasSubstr("proofs[0]: expected an object"));
  std::string many = "[";
  for (int i = 0; i < 101; ++i) absl::StrAppend(&many, i > 0 ? "," : "", "1");
  EXPECT_THAT(Refusal(many + "]"), HasSubstr("got 101"));
  const std::string long_key(100'000, 'k');
  EXPECT_LT(Refusal(absl::StrCat(R"([{")", long_key, R"(": 1}])")).size(),
            300u);
  const std::string long_text(70'000, 't');
  EXPECT_LT(Refusal(absl::StrCat(R"([{"text": ")", long_text, R"("}])")).size(),
            300u);
}

}  // namespace
}  // namespace deberta::server
