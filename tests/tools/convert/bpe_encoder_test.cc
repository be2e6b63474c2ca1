#include "tools/convert/bpe_encoder.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/checkpoint/loaded_file.h"
#include "tests/model/checkpoint/model_directory.h"
#include "tests/model/checkpoint/pickle_bytes.h"

namespace deberta::tools {
namespace {

using model::AsBytes;
using model::Dict;
using model::Global;
using model::Int;
using model::PickleBytes;
using model::Text;
using model::TorchZip;
using model::Tuple;
using testing::HasSubstr;

std::string Golden(const std::string& name) {
  return std::string(DEBERTA_SOURCE_DIR) + "/tests/golden/" + name;
}

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string List(const std::vector<std::string>& items) {
  std::string bytes = "](";
  for (const std::string& item : items) bytes += item;
  return bytes + "e";
}

std::string File(const std::string& dict_map, const std::string& encoder,
                 const std::string& merges) {
  return TorchZip(PickleBytes(Dict({Text("dict_map"), dict_map, Text("encoder"),
                                    encoder, Text("vocab"), merges})));
}

std::string Refusal(const std::string& file) {
  const auto files = ConvertBpeEncoder(AsBytes(file));
  EXPECT_EQ(files.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(files.status().message());
}

TEST(BpeEncoderTest, GivesTheFilesThatItWasMadeFrom) {
  const auto file = model::LoadedFile::Read(Golden("bpe_encoder.bin"));
  ASSERT_TRUE(file.ok()) << file.status();
  const auto files = ConvertBpeEncoder(file->bytes());
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(
      nlohmann::json::parse(files->vocab_json),
      nlohmann::json::parse(ReadText(Golden("tokenizers/v1/vocab.json"))));
  EXPECT_EQ(files->merges_txt, ReadText(Golden("tokenizers/v1/merges.txt")));
}

TEST(BpeEncoderTest, NumbersFillersAndRepeatedTokensAsMicrosoftDoes) {
  const std::string count = Int(1);
  const std::string file = File(
      List({Tuple({Text("7"), count}), List({Text("5"), count}),
            Tuple({Text("madeupword0000"), Int(0)}), Tuple({Text("7"), count}),
            Tuple({Text("[UNK]"), count}), Tuple({Text("6"), count})}),
      Dict({Text("a"), Int(5), Text("b"), Int(6), Text("ab"), Int(7)}),
      List({Tuple({Text("a"), Text("b")}), List({Text("ab"), Text("a")})}));
  const auto files = ConvertBpeEncoder(AsBytes(file));
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->vocab_json,
            R"({"[PAD]":0,"[CLS]":1,"[SEP]":2,"[UNK]":3,"ab":4,"a":5,)"
            R"("madeupword0000":6,"b":7,"[MASK]":8})");
  EXPECT_EQ(files->merges_txt, "#version: 0.2\na b\nab a\n");
}

TEST(BpeEncoderTest, RefusesOtherObjects) {
  const std::string none = "]";
  EXPECT_THAT(Refusal(TorchZip(PickleBytes("]"))),
              HasSubstr("expected a dict"));
  EXPECT_THAT(Refusal(TorchZip(PickleBytes("}"))), HasSubstr("\"encoder\""));
  EXPECT_THAT(Refusal(File("N", "}", none)), HasSubstr("\"dict_map\""));
  EXPECT_THAT(Refusal(File(none, "N", none)), HasSubstr("\"encoder\""));
  EXPECT_THAT(Refusal(File(none, "}", "N")), HasSubstr("\"vocab\""));
  EXPECT_THAT(Refusal(File(List({Text("7")}), "}", none)),
              HasSubstr("pairs of an id as text and a count"));
  EXPECT_THAT(Refusal(File(List({Tuple({Int(7), Int(1)})}), "}", none)),
              HasSubstr("pairs of an id as text and a count"));
  EXPECT_THAT(Refusal(File(none, Dict({Int(1), Text("a")}), none)),
              HasSubstr("ids by token"));
  for (const std::string& merge :
       {Text("ab"), Tuple({Text("a"), Int(1)}), Tuple({Text("a")}),
        Tuple({Text("a b"), Text("c")}), Tuple({Text("a"), Text("b\nc d")})}) {
    EXPECT_THAT(Refusal(File(none, "}", List({merge}))),
                HasSubstr("pairs of tokens without spaces"));
  }
}

TEST(BpeEncoderTest, BoundsWhatRepeatedTokensTake) {
  EXPECT_THAT(
      Refusal(File(List({Tuple({Text(std::string(1025, 'x')), Int(1)})}), "}",
                   "]")),
      HasSubstr("pairs of an id as text and a count"));
  // One pair of 2 KB, a hundred thousand times.
  const std::string token(1024, 'x');
  std::string merges = "](" + Text(token) + Text(token) + "\x86q\1";
  for (int i = 0; i < 100'000; ++i) merges += "h\1";
  EXPECT_THAT(Refusal(File("]", "}", merges + "e")),
              HasSubstr("at most 64 MiB of pairs"));
}

TEST(BpeEncoderTest, RefusesToRunCode) {
  EXPECT_THAT(Refusal(TorchZip(PickleBytes(Global("os", "system") +
                                           Text("true") + "\x85R"))),
              HasSubstr("global \"os\" \"system\" is not among those"));
}

}  // namespace
}  // namespace deberta::tools
