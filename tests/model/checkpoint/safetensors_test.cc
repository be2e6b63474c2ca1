#include "model/checkpoint/safetensors.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/model/checkpoint/model_directory.h"

namespace deberta::model {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string Refusal(const std::string& file) {
  const auto contents = ParseSafetensors(AsBytes(file));
  EXPECT_EQ(contents.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(contents.status().message());
}

std::string RefusalOfHeader(const std::string& header, size_t data_bytes) {
  return Refusal(SafetensorsBytes(header, std::string(data_bytes, '\0')));
}

TEST(SafetensorsTest, FindsTensorsOfEveryType) {
  const float values[] = {1.5f, -2.0f};
  std::string data(reinterpret_cast<const char*>(values), sizeof(values));
  data += std::string("\x00\x3c", 2);  // 1 in F16
  data += std::string("\x80\x3f", 2);  // 1 in BF16
  const double wide = 0.25;
  data.append(reinterpret_cast<const char*>(&wide), sizeof(wide));
  data += std::string(8, '\1');
  const std::string file = SafetensorsBytes(
      R"({"__metadata__":{"format":"pt"},
          "a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},
          "b":{"dtype":"F16","shape":[1],"data_offsets":[8,10]},
          "c":{"dtype":"BF16","shape":[],"data_offsets":[10,12]},
          "d":{"dtype":"F64","shape":[1],"data_offsets":[12,20]},
          "empty":{"dtype":"F32","shape":[0,3],"data_offsets":[4,4]},
          "position_ids":{"dtype":"I64","shape":[1,1],"data_offsets":[20,28]},
          "new":{"dtype":"F4","shape":[9],"data_offsets":[28,28]}}   )",
      data);
  const auto contents = ParseSafetensors(AsBytes(file));
  ASSERT_TRUE(contents.ok()) << contents.status();
  const TensorMap& tensors = contents->tensors;
  ASSERT_EQ(tensors.size(), 5u);
  EXPECT_THAT(tensors.at("a").shape, ElementsAre(1, 2));
  EXPECT_THAT(ReadFloats(tensors.at("a")), ElementsAre(1.5f, -2.0f));
  EXPECT_THAT(ReadFloats(tensors.at("b")), ElementsAre(1.0f));
  EXPECT_TRUE(tensors.at("c").shape.empty());
  EXPECT_THAT(ReadFloats(tensors.at("c")), ElementsAre(1.0f));
  EXPECT_THAT(ReadFloats(tensors.at("d")), ElementsAre(0.25f));
  EXPECT_TRUE(ReadFloats(tensors.at("empty")).empty());
  EXPECT_THAT(contents->other_types,
              ElementsAre(testing::Pair("new", "F4"),
                          testing::Pair("position_ids", "I64")));
}

TEST(SafetensorsTest, RefusesEveryTruncation) {
  const std::string file = SafetensorsBytes(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
      std::string(8, '\0'));
  ASSERT_TRUE(ParseSafetensors(AsBytes(file)).ok());
  for (size_t size = 0; size < file.size(); ++size) {
    // What the message counts: bytes of elements, or of the whole file.
    const size_t lacking = file.size() - size;
    const std::string count = lacking <= 8
                                  ? absl::StrCat("ends ", lacking, " bytes")
                                  : absl::StrCat(size);
    EXPECT_THAT(Refusal(file.substr(0, size)),
                AllOf(HasSubstr("incomplete download?"), HasSubstr(count)));
  }
}

TEST(SafetensorsTest, RefusesLyingHeaderLengths) {
  std::string file = SafetensorsBytes("{}", "");
  EXPECT_TRUE(ParseSafetensors(AsBytes(file)).ok());
  file[0] = '\3';
  EXPECT_EQ(Refusal(file),
            "expected a header of 3 bytes, the file has 10 bytes in all; "
            "incomplete download?");
  file[7] = '\x80';
  EXPECT_THAT(Refusal(file), AllOf(HasSubstr("at most 100000000"),
                                   HasSubstr("not a safetensors file?")));
  EXPECT_THAT(
      Refusal("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
      HasSubstr("Git LFS pointer"));
}

TEST(SafetensorsTest, RefusesHeadersThatAreNotObjects) {
  for (const char* header : {"", "{", "{\"a\":1}}", "\xff{}"}) {
    EXPECT_THAT(RefusalOfHeader(header, 0),
                HasSubstr("header is not valid JSON: line 1, column "))
        << header;
  }
  for (const char* header : {"[]", "null"}) {
    EXPECT_EQ(RefusalOfHeader(header, 0), "header is not a JSON object");
  }
}

TEST(SafetensorsTest, RefusesDeepNesting) {
  const std::string header = absl::StrCat(
      "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,0],\"shape\":",
      std::string(1'000'000, '['), std::string(1'000'000, ']'), "}}");
  EXPECT_THAT(RefusalOfHeader(header, 0), HasSubstr("nested deeper"));
}

TEST(SafetensorsTest, RefusesMalformedEntriesByName) {
  struct Case {
    const char* entry;
    const char* message;
  };
  for (const Case& c : {
           Case{"1", "expected an object"},
           Case{R"({"shape":[1],"data_offsets":[0,4]})", "dtype"},
           Case{R"({"dtype":4,"shape":[1],"data_offsets":[0,4]})", "dtype"},
           Case{R"({"dtype":"F32","data_offsets":[0,4]})", "shape"},
           Case{R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})",
                "negative"},
           Case{R"({"dtype":"F32","shape":[1.0],"data_offsets":[0,4]})",
                "fractional"},
           Case{R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],
                    "data_offsets":[0,4]})",
                "at most 8"},
           Case{R"({"dtype":"F32","shape":[1]})", "data_offsets"},
           Case{R"({"dtype":"F32","shape":[1],"data_offsets":[0]})",
                "data_offsets"},
           Case{R"({"dtype":"F32","shape":[1],"data_offsets":[-4,0]})",
                "data_offsets"},
           Case{R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})",
                "backwards, from 4 to 0"},
           Case{R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})",
                "shape [2] of F32 takes 8 bytes, data_offsets span 4"},
       }) {
    EXPECT_THAT(RefusalOfHeader(absl::StrCat("{\"a\":", c.entry, "}"), 16),
                AllOf(HasSubstr("tensor \"a\""), HasSubstr(c.message)))
        << c.entry;
  }
}

// 2^32 x 2^32 elements wrap to 0 in 64 bits, 2^62 elements of 4 bytes too.
TEST(SafetensorsTest, RefusesShapesThatOverflow) {
  for (const char* shape : {"[4294967296,4294967296]", "[4611686018427387904]",
                            "[9223372036854775808]", "[18446744073709551615,0]",
                            "[3037000500,3037000500,1]"}) {
    EXPECT_THAT(
        RefusalOfHeader(absl::StrCat(R"({"a":{"dtype":"F32","shape":)", shape,
                                     R"(,"data_offsets":[0,0]}})"),
                        0),
        HasSubstr("too large"))
        << shape;
  }
}

TEST(SafetensorsTest, RefusesTensorsOutsideTheFile) {
  EXPECT_THAT(
      RefusalOfHeader(
          R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", 12),
      AllOf(HasSubstr("tensor \"a\": ends 4 bytes beyond"),
            HasSubstr("incomplete download?")));
  EXPECT_THAT(RefusalOfHeader(
                  R"({"a":{"dtype":"F32","shape":[1],"data_offsets":
                      [18446744073709551608,18446744073709551612]}})",
                  12),
              HasSubstr("beyond the end"));
}

TEST(SafetensorsTest, RefusesOverlaps) {
  EXPECT_EQ(RefusalOfHeader(
                R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
                    "b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                8),
            "tensor \"b\": overlaps tensor \"a\"");
}

TEST(SafetensorsTest, RefusesDuplicateNames) {
  EXPECT_EQ(RefusalOfHeader(
                R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                    "a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                8),
            "header is not valid JSON: line 2, column 24, in a: the key is "
            "given twice");
}

TEST(SafetensorsTest, SaysWhatLaidTheTensorsOut) {
  for (const auto& [header, framework] :
       {std::pair{R"({"__metadata__":{"format":"tf"}})", "tf"},
        {R"({"__metadata__":{"format":1}})", ""},
        {R"({"__metadata__":1})", ""},
        {"{}", ""}}) {
    const std::string file = SafetensorsBytes(header, "");
    const auto contents = ParseSafetensors(AsBytes(file));
    ASSERT_TRUE(contents.ok()) << contents.status();
    EXPECT_EQ(contents->framework, framework) << header;
  }
}

TEST(SafetensorsIndexTest, ReadsFileNames) {
  const auto files = ParseSafetensorsIndex(
      R"({"metadata":{},"weight_map":{"a":"x-1","b":"x-2","c":"x-1"}})");
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->size(), 3u);
  EXPECT_EQ(files->at("c"), "x-1");
}

TEST(SafetensorsIndexTest, RefusesFilesOutsideTheDirectory) {
  for (const char* file :
       {R"("../x")", R"("/etc/passwd")", R"("a/b")", R"("..")", R"(".")",
        R"("")", R"("a\u0000b")", "7"}) {
    const auto files = ParseSafetensorsIndex(
        absl::StrCat(R"({"weight_map":{"a":)", file, "}}"));
    EXPECT_THAT(std::string(files.status().message()),
                AllOf(HasSubstr("weight_map: tensor \"a\""),
                      HasSubstr("beside the index")))
        << file;
  }
}

TEST(SafetensorsIndexTest, RefusesWhatIsNoIndex) {
  EXPECT_EQ(ParseSafetensorsIndex("{").status().message(),
            "not valid JSON: line 1, column 2: expected a key in quotes, got "
            "the end of the text");
  for (const char* text :
       {"[]", "{}", R"({"weight_map":[]})", R"({"weight_map":{}})"}) {
    EXPECT_THAT(std::string(ParseSafetensorsIndex(text).status().message()),
                HasSubstr("weight_map: expected"))
        << text;
  }
}

}  // namespace
}  // namespace deberta::model
