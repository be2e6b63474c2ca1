#include "tokenizer/segmentation/spm_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>

namespace deberta::tokenizer {
namespace {

using testing::HasSubstr;
using Type = SpmModel::PieceType;

std::string Varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) {
    out.push_back(static_cast<char>(value | 0x80));
  }
  out.push_back(static_cast<char>(value));
  return out;
}

std::string Int(uint32_t field, uint64_t value) {
  return Varint(field << 3) + Varint(value);
}

std::string Bytes(uint32_t field, std::string_view value) {
  return Varint(field << 3 | 2) + Varint(value.size()) + std::string(value);
}

std::string Float(uint32_t field, float value) {
  std::string out = Varint(field << 3 | 5);
  const auto bits = std::bit_cast<uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<char>(bits >> shift & 0xFF));
  }
  return out;
}

std::string Piece(std::string_view text, float score) {
  return Bytes(1, Bytes(1, text) + Float(2, score));
}

std::string Error(std::string_view bytes) {
  return std::string(ParseSpmModel(bytes).status().message());
}

TEST(SpmModelTest, ReadsPiecesAndSpecs) {
  const auto model = ParseSpmModel(
      Bytes(1, Bytes(1, "<unk>") + Int(3, 2)) + Piece("\u2581a", -1.5F) +
      Bytes(2, Int(3, 2) + Int(35, 1) + Int(40, 1) + Bytes(45, "<unk>")) +
      Bytes(3, Bytes(1, "nmt_nfkc") + Bytes(2, "\xFF") + Int(3, 0) + Int(4, 0) +
                   Int(5, 0)));
  ASSERT_TRUE(model.ok()) << model.status();
  ASSERT_EQ(model->pieces.size(), 2U);
  EXPECT_EQ(model->pieces[0].text, "<unk>");
  EXPECT_EQ(model->pieces[0].type, Type::kUnknown);
  EXPECT_EQ(model->pieces[1].text, "\u2581a");
  EXPECT_EQ(model->pieces[1].score, -1.5F);
  EXPECT_EQ(model->pieces[1].type, Type::kNormal);
  EXPECT_EQ(model->model_type, 2);
  EXPECT_EQ(model->unk_id, 1);
  EXPECT_TRUE(model->byte_fallback);
  EXPECT_EQ(model->normalizer_name, "nmt_nfkc");
  EXPECT_EQ(model->precompiled_charsmap, "\xFF");
  EXPECT_FALSE(model->add_dummy_prefix);
  EXPECT_FALSE(model->remove_extra_whitespaces);
  EXPECT_FALSE(model->escape_whitespaces);
}

TEST(SpmModelTest, TellsWhetherDecodedTextHasAMapOfItsOwn) {
  EXPECT_FALSE(
      ParseSpmModel(Piece("a", 0) + Bytes(5, Int(3, 0)))->has_denormalizer);
  EXPECT_TRUE(ParseSpmModel(Piece("a", 0) + Bytes(5, Bytes(2, "map")))
                  ->has_denormalizer);
}

TEST(SpmModelTest, AbsentFieldsHaveTheFormatsDefaults) {
  const auto model = ParseSpmModel(Piece("a", 0));
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->model_type, SpmModel::kUnigramModelType);
  EXPECT_EQ(model->unk_id, 0);
  EXPECT_FALSE(model->byte_fallback);
  EXPECT_TRUE(model->add_dummy_prefix);
  EXPECT_TRUE(model->remove_extra_whitespaces);
  EXPECT_TRUE(model->escape_whitespaces);
}

TEST(SpmModelTest, SkipsUnknownFieldsAndMergesRepeatedMessages) {
  const auto model = ParseSpmModel(
      Int(100, 5) + Varint(101 << 3 | 1) + "12345678" + Piece("a", 0) +
      Bytes(2, Int(35, 1)) + Bytes(2, Int(40, 0)) + Bytes(4, "self test") +
      Bytes(1, Bytes(1, "b") + Int(3, 77)));
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_TRUE(model->byte_fallback);
  ASSERT_EQ(model->pieces.size(), 2U);
  EXPECT_EQ(model->pieces[1].type, Type::kNormal);
}

TEST(SpmModelTest, RefusesWhatIsNoModel) {
  EXPECT_THAT(Error(""), HasSubstr("no pieces"));
  EXPECT_THAT(Error("{\"version\": 1}"), HasSubstr("near byte"));
  EXPECT_THAT(Error(Piece("a", 0) + Bytes(2, Int(40, 1))),
              HasSubstr("unk_id is 1; expected 0 to 0"));
  EXPECT_THAT(Error(Piece("a", 0) + Bytes(2, Int(40, ~uint64_t{0}))),
              HasSubstr("unk_id is -1"));
  EXPECT_THAT(Error(Piece("\xC3", 0)), HasSubstr("UTF-8"));
  EXPECT_THAT(Error(Piece("a", std::numeric_limits<float>::infinity())),
              HasSubstr("finite"));
  EXPECT_THAT(Error(Bytes(1, Int(1, 5))), HasSubstr("field 1 of wire type 2"));
  EXPECT_THAT(Error(Int(1, 5)), HasSubstr("field 1 of wire type 2"));
  EXPECT_THAT(Error(Varint(0)), HasSubstr("field number"));
  EXPECT_THAT(Error(std::string(11, '\xFF')), HasSubstr("varint"));
  EXPECT_THAT(Error("\x0A\xFF\xFF\xFF\xFF\x0F"),
              HasSubstr("a field that ends in its message"));
}

std::string GoldenModel() {
  std::ifstream file(std::string(DEBERTA_SOURCE_DIR) +
                         "/tests/golden/tokenizers/v3-lower/spm.model",
                     std::ios::binary);
  EXPECT_TRUE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(SpmModelTest, ReadsATrainedModel) {
  const auto model = ParseSpmModel(GoldenModel());
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->unk_id, 3);
  EXPECT_TRUE(model->byte_fallback);
  EXPECT_EQ(model->normalizer_name, "identity");
  EXPECT_EQ(model->precompiled_charsmap, "");
  EXPECT_EQ(model->pieces[0].text, "[PAD]");
  EXPECT_EQ(model->pieces[0].type, Type::kControl);
  EXPECT_EQ(model->pieces[3].type, Type::kUnknown);
}

TEST(SpmModelTest, EveryTruncationIsAnErrorOrAShorterModel) {
  const std::string whole = GoldenModel();
  const size_t pieces = ParseSpmModel(whole)->pieces.size();
  // unk_id is 3 only from the trainer_spec on; without it, it is 0.
  for (size_t size = 0; size < whole.size(); size += 7) {
    const auto model = ParseSpmModel(std::string_view(whole).substr(0, size));
    if (model.ok()) {
      EXPECT_LE(model->pieces.size(), pieces);
    } else {
      EXPECT_THAT(std::string(model.status().message()),
                  HasSubstr("SentencePiece model"));
    }
  }
}

}  // namespace
}  // namespace deberta::tokenizer
