#include "tokenizer/files/tokenizer_json_post_processor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace deberta::tokenizer {
namespace {

using testing::HasSubstr;

// The pieces, as "1:0 A:0 2:0".
std::string Text(const Template& pieces) {
  std::string text;
  for (const TemplatePiece& piece : pieces) {
    if (!text.empty()) text += ' ';
    if (piece.sequence == Encoding::kNoSequence) {
      for (const int32_t id : piece.ids) text += std::to_string(id);
    } else {
      text += piece.sequence == 0 ? 'A' : 'B';
    }
    text += ':' + std::to_string(piece.type_id);
  }
  return text;
}

PostProcessor Read(std::string_view json) {
  const JsonDocument document = *JsonDocument::Parse("file", json);
  PostProcessor read = ReadPostProcessor(document.root());
  EXPECT_TRUE(document.error().ok()) << document.error();
  return read;
}

std::string Error(std::string_view json) {
  const JsonDocument document = *JsonDocument::Parse("file", json);
  ReadPostProcessor(document.root());
  EXPECT_FALSE(document.error().ok()) << json;
  return std::string(document.error().message());
}

TEST(PostProcessorTest, WritesTheReferencesTemplates) {
  EXPECT_EQ(Text(DebertaTemplate(1, 2).single), "1:0 A:0 2:0");
  EXPECT_EQ(Text(DebertaTemplate(1, 2).pair), "1:0 A:0 2:0 B:1 2:1");
  EXPECT_EQ(Text(Hf5DebertaTemplate(1, 2).single), "1:0 A:0 2:0");
  EXPECT_EQ(Text(Hf5DebertaTemplate(1, 2).pair), "1:0 A:0 2:0 2:0 B:0 2:0");
  EXPECT_EQ(SpecialTokenCount(Hf5DebertaTemplate(1, 2).pair), 4u);
}

TEST(PostProcessorTest, ReadsTheKindsThatTransformersWrites) {
  const PostProcessor bert =
      Read(R"({"type": "BertProcessing", "sep": ["s", 7], "cls": ["c", 5]})");
  EXPECT_EQ(Text(bert.pair), "5:0 A:0 7:0 B:1 7:1");
  EXPECT_TRUE(bert.offset_trims.empty());

  const PostProcessor roberta = Read(
      R"({"type": "RobertaProcessing", "sep": ["s", 7], "cls": ["c", 5],
          "trim_offsets": true, "add_prefix_space": false})");
  EXPECT_EQ(Text(roberta.pair), "5:0 A:0 7:0 7:0 B:0 7:0");
  EXPECT_EQ(roberta.offset_trims, std::vector<bool>{false});

  const PostProcessor sequence = Read(
      R"({"type": "Sequence", "processors": [
          {"type": "ByteLevel", "trim_offsets": true,
           "add_prefix_space": true},
          {"type": "BertProcessing", "sep": ["s", 7], "cls": ["c", 5]},
          {"type": "ByteLevel", "trim_offsets": false}]})");
  EXPECT_EQ(Text(sequence.single), "5:0 A:0 7:0");
  EXPECT_EQ(sequence.offset_trims, std::vector<bool>{true});
}

TEST(PostProcessorTest, RefusesWhatWouldMakeOtherInputs) {
  // No template: an empty text would be an input without a token.
  for (const char* none : {"null", R"({"type": "Sequence", "processors": []})",
                           R"({"type": "ByteLevel", "trim_offsets": true})"}) {
    EXPECT_THAT(Error(none), HasSubstr("a template of special tokens")) << none;
  }
  EXPECT_THAT(Error(R"({"type": "XlnetProcessing"})"),
              HasSubstr("RobertaProcessing, BertProcessing"));
  EXPECT_THAT(Error(R"({"type": "Sequence", "processors": [
          {"type": "BertProcessing", "sep": ["s", 7], "cls": ["c", 5]},
          {"type": "BertProcessing", "sep": ["s", 7], "cls": ["c", 5]}]})"),
              HasSubstr("processors[1]: expected no second template"));
  EXPECT_THAT(Error(R"({"type": "BertProcessing", "sep": ["s"], "cls": 1})"),
              HasSubstr("expected"));
  const std::string repeated = R"({"type": "TemplateProcessing",
      "single": [{"Sequence": {"id": "A", "type_id": 0}},
                 {"Sequence": {"id": "A", "type_id": 0}}],
      "pair": [], "special_tokens": {}})";
  EXPECT_THAT(Error(repeated), HasSubstr("single: expected A once"));
  std::string many = R"({"type": "TemplateProcessing", "special_tokens":
      {"x": {"id": "x", "tokens": [], "ids": [1)";
  for (int i = 0; i < 64; ++i) many += ",1";
  many += R"(]}}, "pair": [], "single": [
      {"SpecialToken": {"id": "x", "type_id": 0}},
      {"Sequence": {"id": "A", "type_id": 0}}]})";
  EXPECT_THAT(Error(many), HasSubstr("1 to 64 special tokens"));
}

}  // namespace
}  // namespace deberta::tokenizer
