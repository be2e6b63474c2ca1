#include "server/models/sequence_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace deberta::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::unique_ptr<const model::Model> Golden(const std::string& name) {
  auto model = model::Model::Load(
      std::string(DEBERTA_SOURCE_DIR "/tests/golden/models/") + name, {});
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

ModelSettings Tokens(size_t tokens) {
  ModelSettings settings;
  settings.max_tokens = tokens;
  return settings;
}

absl::Status Check(const model::Model& model, size_t tokens,
                   const LoadOptions& options = {}) {
  return CheckMaxTokens(Tokens(tokens), options, model);
}

std::string Message(const absl::Status& status) {
  return std::string(status.message());
}

TEST(SequenceLimitTest, RelativePositionsReachAnyLength) {
  EXPECT_TRUE(Check(*Golden("v3_long_tag"), 32768).ok());
  EXPECT_TRUE(Check(*Golden("v1_long_tag"), 4096).ok());
  EXPECT_TRUE(Check(*Golden("v3_long_tag"), 8).ok());
}

TEST(SequenceLimitTest, NamesWhatEndsEarlier) {
  const auto absolute = Golden("v1_absolute_fill");
  EXPECT_TRUE(Check(*absolute, 24).ok());
  EXPECT_THAT(Message(Check(*absolute, 25)),
              AllOf(HasSubstr("deberta.json: max_tokens: expected at most 24, "
                              "got 25"),
                    HasSubstr("position_biased_input")));
  const auto enhanced = Golden("v3_pretrained_fill");
  const auto positions =
      static_cast<size_t>(enhanced->config().max_position_embeddings);
  EXPECT_TRUE(Check(*enhanced, positions).ok());
  EXPECT_THAT(Message(Check(*enhanced, positions + 1)),
              HasSubstr("\"fill_mask\": \"plain\""));
  const auto buckets = Golden("v2_few_odd_buckets_tag");
  EXPECT_TRUE(Check(*buckets, 193).ok());
  EXPECT_THAT(Message(Check(*buckets, 194)), HasSubstr("position_buckets"));
}

TEST(SequenceLimitTest, BoundsWhatTheServerCanHold) {
  const auto model = Golden("v3_long_tag");
  EXPECT_THAT(Message(Check(*model, 7)), HasSubstr("expected at least 8"));
  EXPECT_THAT(Message(Check(*model, 1001, {.max_queue_tokens = 1000})),
              HasSubstr("--max_queue_tokens"));
  const absl::Status full = Check(
      *model, 30000, {.batches = 4, .memory_bytes = std::optional<size_t>(1)});
  EXPECT_TRUE(absl::IsResourceExhausted(full));
  EXPECT_THAT(Message(full), HasSubstr("4 sequences of 30000 tokens"));
}

TEST(SequenceLimitTest, TheFileGoesBeforeTheFlag) {
  const auto absolute = Golden("v1_absolute_fill");
  const LoadOptions flag = {.max_tokens = 4096};
  EXPECT_EQ(WantedMaxTokens({}, flag), 4096u);
  EXPECT_EQ(WantedMaxTokens(Tokens(16), flag), 16u);
  EXPECT_EQ(WantedMaxTokens({}, {}), std::nullopt);
  EXPECT_TRUE(CheckMaxTokens(Tokens(16), flag, *absolute).ok());
  EXPECT_THAT(Message(CheckMaxTokens({}, flag, *absolute)),
              AllOf(HasSubstr("--max_tokens: expected at most 24, got 4096"),
                    HasSubstr("deberta.json goes before the flag")));
  EXPECT_TRUE(CheckMaxTokens({}, {}, *absolute).ok());
}

}  // namespace
}  // namespace deberta::server
