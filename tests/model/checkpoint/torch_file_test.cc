#include "model/checkpoint/torch_file.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/checkpoint/loaded_file.h"
#include "model/checkpoint/safetensors.h"
#include "tests/model/checkpoint/model_directory.h"
#include "tests/model/checkpoint/pickle_bytes.h"

namespace deberta::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string Refusal(const std::string& file) {
  const auto contents = ParseTorchFile(AsBytes(file));
  EXPECT_EQ(contents.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(contents.status().message());
}

// A file of one tensor "a".
std::string OneTensor(const std::string& tensor, const std::string& data) {
  return TorchZip(PickleBytes(Dict({Text("a"), tensor})), {{"0", data}});
}

std::string Floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()),
          values.size() * sizeof(float)};
}

const std::string kSix = Floats({0, 1, 2, 3, 4, 5});
const std::string kSixStored = Storage("FloatStorage", "0", 6);

// The files of tests/golden/torch, each with the form that it is in.
class TorchGoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(TorchGoldenTest, HoldsWhatTheSafetensorsFileHolds) {
  const std::filesystem::path directory =
      absl::StrCat(DEBERTA_SOURCE_DIR, "/tests/golden/torch");
  const std::string& name = GetParam();
  const auto wanted_file = LoadedFile::Read(
      directory / (name.substr(0, name.find('.')) + ".safetensors"));
  ASSERT_TRUE(wanted_file.ok()) << wanted_file.status();
  const auto wanted = ParseSafetensors(wanted_file->bytes());
  ASSERT_TRUE(wanted.ok()) << wanted.status();

  const auto file = LoadedFile::Read(directory / name);
  ASSERT_TRUE(file.ok()) << file.status();
  const auto got = ParseTorchFile(file->bytes());
  ASSERT_TRUE(got.ok()) << got.status();

  EXPECT_EQ(got->tensors.size(), wanted->tensors.size());
  for (const auto& [key, tensor] : wanted->tensors) {
    ASSERT_TRUE(got->tensors.contains(key)) << key;
    const TensorView& mine = got->tensors.at(key);
    EXPECT_EQ(mine.dtype, tensor.dtype) << key;
    EXPECT_EQ(mine.shape, tensor.shape) << key;
    EXPECT_TRUE(std::equal(mine.bytes.begin(), mine.bytes.end(),
                           tensor.bytes.begin(), tensor.bytes.end()))
        << key;
  }
  auto other_types = wanted->other_types;
  if (absl::StartsWith(name, "config")) {
    other_types.insert({{"config", "dict"},
                        {"epoch", "int"},
                        {"name", "str"},
                        {"none", "None"}});
  }
  if (absl::StartsWith(name, "wrapped")) {
    other_types.insert({{"epoch", "int"}, {"extra", "list"}});
  }
  EXPECT_EQ(got->other_types, other_types);
}

std::vector<std::string> GoldenNames() {
  std::vector<std::string> names;
  for (const char* state :
       {"types", "layouts", "parameters", "config", "module", "wrapped"}) {
    for (const char* form :
         {"zip", "legacy", "protocol3", "protocol4", "protocol5", "legacy4"}) {
      names.push_back(absl::StrCat(state, ".", form, ".bin"));
    }
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Files, TorchGoldenTest,
                         testing::ValuesIn(GoldenNames()),
                         [](const auto& file) {
                           std::string name = file.param;
                           for (char& c : name) c = c == '.' ? '_' : c;
                           return name;
                         });

TEST(TorchFileTest, CopiesOnlyWhatIsNotRowMajor) {
  const std::string file = TorchZip(
      PickleBytes(Dict({Text("a"), Tensor(kSixStored, 1, {2, 2}, {2, 1}),
                        Text("b"), Tensor(kSixStored, 0, {3, 2}, {1, 3})})),
      {{"0", kSix}});
  const auto contents = ParseTorchFile(AsBytes(file));
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_THAT(ReadFloats(contents->tensors.at("a")), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(ReadFloats(contents->tensors.at("b")),
              ElementsAre(0, 3, 1, 4, 2, 5));
  ASSERT_EQ(contents->buffers.size(), 1u);
  EXPECT_EQ(contents->tensors.at("b").bytes.data(),
            contents->buffers[0].data());
  const auto* data =
      reinterpret_cast<const char*>(contents->tensors.at("a").bytes.data());
  EXPECT_EQ(data, file.data() + file.find(kSix) + 4);
}

TEST(TorchFileTest, ReadsViewsOfLegacyStorages) {
  const std::string view = Tuple({Text("view"), Int(2), Int(3)});
  const std::string tensor =
      Tensor(Storage("FloatStorage", "0", 6, view), 1, {2}, {1});
  const auto file = TorchLegacy(PickleBytes(Dict({Text("a"), tensor})), {"0"},
                                Bytes<uint64_t>(6) + kSix);
  const auto contents = ParseTorchFile(AsBytes(file));
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_THAT(ReadFloats(contents->tensors.at("a")), ElementsAre(3, 4));

  const std::string beyond =
      Tensor(Storage("FloatStorage", "0", 6, view), 2, {2}, {1});
  EXPECT_THAT(Refusal(TorchLegacy(PickleBytes(Dict({Text("a"), beyond})), {"0"},
                                  Bytes<uint64_t>(6) + kSix)),
              HasSubstr("does not lie within a storage of 3 elements"));
  const std::string wide = Tuple({Text("view"), Int(4), Int(3)});
  EXPECT_THAT(
      Refusal(OneTensor(
          Tensor(Storage("FloatStorage", "0", 6, wide), 0, {1}, {1}), kSix)),
      HasSubstr("a view that does not lie within storage \"0\""));
}

TEST(TorchFileTest, ReadsTheOldestRebuild) {
  const std::string tensor =
      Global("torch._utils", "_rebuild_tensor") +
      Tuple({kSixStored, Int(0), Counts({2, 3}), Counts({3, 1})}) + "R";
  const std::string file = OneTensor(tensor, kSix);
  const auto contents = ParseTorchFile(AsBytes(file));
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_THAT(contents->tensors.at("a").shape, ElementsAre(2, 3));
}

TEST(TorchFileTest, RefusesToRunCode) {
  // What `os.system` pickles to, at every place where a value may stand.
  const std::string attack =
      Global("posix", "system") + Text("touch /tmp/owned") + "\x85R";
  const char* kNamed = "global \"posix\" \"system\" is not among those";
  EXPECT_THAT(Refusal(TorchZip(PickleBytes(attack))), HasSubstr(kNamed));
  EXPECT_THAT(Refusal(OneTensor(attack, kSix)), HasSubstr(kNamed));
  EXPECT_THAT(Refusal(TorchLegacy(PickleBytes(attack), {}, "")),
              HasSubstr(kNamed));
  EXPECT_THAT(Refusal(PickleBytes(attack)), HasSubstr(kNamed));
  EXPECT_THAT(Refusal(OneTensor(Tensor(attack, 0, {6}, {1}), kSix)),
              HasSubstr(kNamed));
}

TEST(TorchFileTest, RefusesANestedPickle) {
  const std::string inner = "cposix\nsystem\nX\4";
  EXPECT_THAT(Refusal(TorchZip(PickleBytes(Global("_pickle", "loads") +
                                           Text(inner) + "\x85R"))),
              HasSubstr("global \"_pickle\" \"loads\" is not among those"));
  // One pickle after the other in the same entry.
  EXPECT_EQ(Refusal(TorchZip(PickleBytes("}") + PickleBytes("}"))),
            "data.pkl: 4 bytes follow the pickle");
}

TEST(TorchFileTest, RefusesASecondPickle) {
  const std::string pickle = PickleBytes("}");
  EXPECT_THAT(Refusal(ZipBytes({{.name = "archive/data.pkl", .data = pickle},
                                {.name = "archive/data.pkl", .data = pickle}})),
              HasSubstr("\"archive/data.pkl\": listed twice"));
  EXPECT_THAT(Refusal(ZipBytes({{.name = "archive/data.pkl", .data = pickle},
                                {.name = "other/data.pkl", .data = pickle}})),
              HasSubstr("expected every entry to lie within one folder"));
  EXPECT_THAT(Refusal(ZipBytes({{.name = "data.pkl", .data = pickle}})),
              HasSubstr("expected every entry to lie within one folder"));
  EXPECT_THAT(Refusal(ZipBytes({{.name = "a/b/data.pkl", .data = pickle}})),
              HasSubstr("no entry data.pkl"));
}

TEST(TorchFileTest, RefusesLyingStorageSizes) {
  // 10 GB in a file of a kilobyte.
  const int64_t huge = 2'500'000'000;
  const std::string tensor =
      Tensor(Storage("FloatStorage", "0", huge), 0, {huge}, {1});
  EXPECT_EQ(Refusal(OneTensor(tensor, kSix)),
            "storage \"0\": 2500000000 elements of F32 take 10000000000 bytes, "
            "its entry holds 24");
  EXPECT_EQ(Refusal(TorchLegacy(PickleBytes(Dict({Text("a"), tensor})), {"0"},
                                Bytes(huge) + kSix)),
            "storage \"0\": ends beyond the file; incomplete download?");
  EXPECT_THAT(
      Refusal(OneTensor(
          Tensor(Storage("FloatStorage", "0", INT64_MAX), 0, {1}, {1}), kSix)),
      HasSubstr("are too many"));
  EXPECT_THAT(
      Refusal(TorchLegacy(
          PickleBytes(Dict({Text("a"), Tensor(kSixStored, 0, {6}, {1})})),
          {"0"}, Bytes<uint64_t>(7) + kSix)),
      HasSubstr("expected 6 elements, the file says 7"));
  EXPECT_THAT(Refusal(OneTensor(
                  Tensor(Storage("FloatStorage", "0", -1), 0, {6}, {1}), kSix)),
              HasSubstr("malformed persistent id"));
}

TEST(TorchFileTest, RefusesTensorsBeyondTheirStorage) {
  struct Case {
    int64_t offset;
    std::vector<int64_t> shape;
    std::vector<int64_t> strides;
  };
  const int64_t kWide = int64_t{1} << 62;
  for (const Case& c : {Case{1, {6}, {1}},
                        {7, {0}, {1}},
                        {6, {}, {}},
                        {0, {2, 3}, {4, 1}},
                        {0, {3}, {kWide}},
                        {0, {5}, {kWide}},
                        {INT64_MAX, {2}, {1}},
                        {0, {kWide, 4}, {0, 0}},
                        {0, {kWide, 4}, {1, 1}},
                        // One element as a gigabyte.
                        {0, {1 << 28}, {0}},
                        {0, {4, 3}, {1, 1}}}) {
    EXPECT_THAT(Refusal(OneTensor(
                    Tensor(kSixStored, c.offset, c.shape, c.strides), kSix)),
                HasSubstr("tensor \"a\": size"))
        << ShapeText(c.shape);
  }
  for (const Case& c :
       {Case{-1, {1}, {1}},
        {0, {-1}, {1}},
        {0, {1}, {-1}},
        {0, {1, 1}, {1}},
        {0, std::vector<int64_t>(9, 1), std::vector<int64_t>(9, 1)}}) {
    EXPECT_THAT(Refusal(OneTensor(
                    Tensor(kSixStored, c.offset, c.shape, c.strides), kSix)),
                HasSubstr("must be counts"));
  }
}

TEST(TorchFileTest, RefusesCopiesThatOutgrowTheFile) {
  // A thousand transposed views of one storage.
  const std::string data = Floats(std::vector<float>(10'000));
  std::vector<std::string> items;
  for (int i = 0; i < 1000; ++i) {
    items.push_back(Text(absl::StrCat(i)));
    items.push_back(
        Tensor(Storage("FloatStorage", "0", 10'000), 0, {100, 100}, {1, 100}));
  }
  EXPECT_THAT(Refusal(TorchZip(PickleBytes(Dict(items)), {{"0", data}})),
              HasSubstr("more than twice the file's bytes"));
}

TEST(TorchFileTest, RefusesMalformedCalls) {
  const std::string rebuild = Global("torch._utils", "_rebuild_tensor_v2");
  const std::string parameter = Global("torch._utils", "_rebuild_parameter");
  EXPECT_THAT(Refusal(OneTensor(rebuild + ")R", kSix)),
              HasSubstr("malformed arguments of _rebuild_tensor"));
  EXPECT_THAT(Refusal(OneTensor(rebuild + "(NNNNNNtR", kSix)),
              HasSubstr("expected a storage, got a None"));
  EXPECT_THAT(Refusal(OneTensor(parameter + "N\x85R", kSix)),
              HasSubstr("malformed arguments of _rebuild_parameter"));
  // A parameter of a parameter of ...
  std::string nested = Tensor(kSixStored, 0, {6}, {1});
  for (int i = 0; i < 3; ++i)
    nested = parameter + Tuple({nested, "N", "N"}) + "R";
  EXPECT_THAT(Refusal(OneTensor(nested, kSix)),
              HasSubstr("malformed arguments of _rebuild_tensor"));
  EXPECT_THAT(Refusal(OneTensor(parameter + "(" + parameter + ")RNNtR", kSix)),
              HasSubstr("malformed arguments"));
}

TEST(TorchFileTest, RefusesMalformedStorages) {
  const std::string kEnd = Text("cpu") + Int(6);
  for (const std::string& id :
       {std::string("N"), std::string(")"),
        Tuple(
            {Text("module"), Global("torch", "FloatStorage"), Text("0"), kEnd}),
        Tuple({Text("storage"), Text("FloatStorage"), Text("0"), kEnd}),
        Tuple({Text("storage"), Global("torch._utils", "_rebuild_tensor"),
               Text("0"), kEnd}),
        Tuple({Text("storage"), Global("collections", "OrderedDict"), Text("0"),
               kEnd}),
        Tuple({Text("storage"), Global("torch", "FloatStorage"), Int(0), kEnd}),
        Tuple({Text("storage"), Global("torch", "FloatStorage"),
               Text(std::string(65, '0')), kEnd})}) {
    EXPECT_THAT(Refusal(OneTensor(Tensor(id + "Q", 0, {6}, {1}), kSix)),
                HasSubstr("malformed persistent id"));
  }
  EXPECT_THAT(Refusal(OneTensor(
                  Tensor(Storage("FloatStorage", "1", 6), 0, {6}, {1}), kSix)),
              HasSubstr("storage \"1\": the archive has no such entry"));
  // One storage, read as two types.
  EXPECT_THAT(Refusal(TorchZip(
                  PickleBytes(Dict(
                      {Text("a"), Tensor(kSixStored, 0, {6}, {1}), Text("b"),
                       Tensor(Storage("IntStorage", "0", 6), 0, {6}, {1})})),
                  {{"0", kSix}})),
              HasSubstr("now 6 elements of I32, before 6 of F32"));
}

TEST(TorchFileTest, RefusesRootsThatAreNoTensorsByName) {
  EXPECT_THAT(Refusal(TorchZip(PickleBytes("N"))),
              HasSubstr("expected a dict of tensors by name, got a None"));
  EXPECT_THAT(Refusal(TorchZip(PickleBytes("}NNs"))),
              HasSubstr("expected names of tensors, got a None"));
  EXPECT_THAT(
      Refusal(TorchZip(PickleBytes(Dict({Text("a"), "N", Text("a"), "N"})))),
      HasSubstr("tensor \"a\": listed twice"));
}

TEST(TorchFileTest, RefusesOtherFiles) {
  EXPECT_THAT(Refusal(""), HasSubstr("neither a zip archive nor"));
  EXPECT_THAT(Refusal("<html>"), HasSubstr("neither a zip archive nor"));
  EXPECT_THAT(Refusal(PickleBytes("N")), HasSubstr("neither a zip archive"));
  EXPECT_THAT(Refusal("version https://git-lfs.github.com/spec/v1\n"),
              HasSubstr("a Git LFS pointer"));
  std::string tar(512, '\0');
  tar.replace(257, 5, "ustar");
  EXPECT_THAT(Refusal(tar), HasSubstr("tar form"));
  EXPECT_THAT(Refusal(ZipBytes({{.name = "a/version", .data = "3"}})),
              HasSubstr("no entry data.pkl"));
  EXPECT_THAT(
      Refusal(ZipBytes({{.name = "a/data.pkl", .data = PickleBytes("}")},
                        {.name = "a/byteorder", .data = "big"}})),
      HasSubstr("byteorder: expected little, got \"big\""));
}

TEST(TorchFileTest, RefusesMalformedLegacyFiles) {
  const std::string state =
      PickleBytes(Dict({Text("a"), Tensor(kSixStored, 0, {6}, {1})}));
  const std::string storage = Bytes<uint64_t>(6) + kSix;
  const std::string file = TorchLegacy(state, {"0"}, storage);
  const auto contents = ParseTorchFile(AsBytes(file));
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_THAT(ReadFloats(contents->tensors.at("a")),
              ElementsAre(0, 1, 2, 3, 4, 5));
  for (size_t size = 0; size < file.size(); ++size) {
    Refusal(file.substr(0, size));
  }
  EXPECT_THAT(Refusal(file + "x"), HasSubstr("1 bytes follow"));
  EXPECT_THAT(Refusal(TorchLegacy(state, {}, storage)),
              HasSubstr("storage \"0\": not in the file"));
  EXPECT_THAT(Refusal(TorchLegacy(state, {"0", "0"}, storage + storage)),
              HasSubstr("storage \"0\": listed twice"));
  EXPECT_THAT(Refusal(TorchLegacy(state, {"1"}, storage)),
              HasSubstr("storage \"1\": listed, but"));
  EXPECT_THAT(Refusal(LegacyHeader() + state + PickleBytes("N") + storage),
              HasSubstr("expected a list of the storages' keys"));

  const std::string magic = LegacyHeader().substr(0, 15);
  EXPECT_THAT(Refusal(magic + PickleBytes(Int(1000)) + state),
              HasSubstr("expected PyTorch's protocol 1001"));
  EXPECT_THAT(
      Refusal(magic + PickleBytes(Int(1001)) +
              PickleBytes(Dict({Text("little_endian"), "\x89"})) + state),
      HasSubstr("big-endian"));
}

TEST(TorchFileTest, TakesALinearTimeForLongNamesUsedOften) {
  // Every storage under a key of megabytes would be copied a million times.
  const std::string key(size_t{4} << 20, '0');
  std::string body = "](" + Text("storage") + Global("torch", "FloatStorage") +
                     Text(key) + Text("cpu") + Int(6) + "tq\1Qa";
  for (int i = 0; i < 100'000; ++i) body += "h\1Qa";
  EXPECT_THAT(Refusal(TorchZip(PickleBytes(body))),
              HasSubstr("malformed persistent id"));
  // So would every entry beside the tensors.
  body = "}(" + Text(key) + "q\1N";
  for (int i = 0; i < 100'000; ++i) body += "h\1N";
  EXPECT_THAT(Refusal(TorchZip(PickleBytes(body + Text("state_dict") + "}u"))),
              HasSubstr("listed twice"));
}

}  // namespace
}  // namespace deberta::model
