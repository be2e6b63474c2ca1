#include "model/checkpoint/hdf5.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/checkpoint/checkpoint.h"
#include "tests/model/checkpoint/model_directory.h"

namespace deberta::model {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr std::chrono::milliseconds kLong = std::chrono::seconds(60);

std::string HostileFile(const std::string& name) {
  return absl::StrCat(DEBERTA_SOURCE_DIR, "/tests/golden/hdf5/", name, ".h5");
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The file stays mapped as long as what was read from it.
struct Read {
  std::optional<LoadedFile> file;
  absl::StatusOr<SafetensorsContents> contents;
};

Read ReadFile(const std::string& path,
              const std::string& program = DEBERTA_HDF5_READER,
              std::chrono::milliseconds limit = kLong) {
  absl::StatusOr<LoadedFile> file = LoadedFile::Read(path);
  if (!file.ok()) return {std::nullopt, file.status()};
  auto contents = ReadHdf5(*file, {.program = program, .limit = limit});
  return {*std::move(file), std::move(contents)};
}

std::string Refusal(const std::string& path) {
  const Read read = ReadFile(path);
  EXPECT_EQ(read.contents.status().code(), absl::StatusCode::kInvalidArgument)
      << path;
  return std::string(read.contents.status().message());
}

TEST(Hdf5Test, ReadsFloatsWhereTheyLie) {
  const Read read = ReadFile(HostileFile("types"));
  ASSERT_TRUE(read.contents.ok()) << read.contents.status();
  const TensorMap& tensors = read.contents->tensors;
  const auto values = ElementsAre(0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f);
  for (const auto& [name, dtype] : {std::pair{"f32:0", DType::kF32},
                                    {"f16:0", DType::kF16},
                                    {"f64:0", DType::kF64}}) {
    const TensorView& tensor = tensors.at(absl::StrCat("a/m/a/", name));
    EXPECT_EQ(tensor.dtype, dtype);
    EXPECT_THAT(tensor.shape, ElementsAre(2, 3));
    EXPECT_THAT(ReadFloats(tensor), values);
  }
  EXPECT_THAT(ReadFloats(tensors.at("a/m/a/scalar:0")), ElementsAre(7.0f));
  EXPECT_THAT(ReadFloats(tensors.at("a/m/a/empty:0")), IsEmpty());
  EXPECT_EQ(tensors.size(), 5u);
  EXPECT_THAT(read.contents->other_types,
              ElementsAre(Pair("a/m/a/big_endian:0", "another float"),
                          Pair("a/m/a/i64:0", "integer"),
                          Pair("a/m/a/text:0", "string")));
}

TEST(Hdf5Test, RefusesWhatDoesNotLieInTheFileAsPlainElements) {
  const std::pair<const char*, const char*> kCases[] = {
      {"external_link", "\"/a\": a link to another place or file"},
      {"soft_link", "\"/b\": a link to another place or file"},
      {"soft_loop", "\"/a\": a link to another place or file"},
      {"group_loop", "expected at most 16 groups inside one another"},
      {"many_paths", "expected at most 50000 groups and datasets"},
      {"deep", "expected at most 16 groups inside one another"},
      {"long_name", "\"/\": expected names of at most 1024 bytes"},
      {"strange_name", "\"/\": holds a name that is not plain ASCII"},
      {"twice", "tensor \"b\": overlaps tensor \"a\""},
      {"named_type", "\"/a\": neither a group nor a dataset"},
      {"external_storage", "\"/a\": kept in other files"},
      {"chunked", "\"/a\": chunked, compressed, compact or virtual"},
      {"compressed", "\"/a\": chunked, compressed, compact or virtual"},
      {"compact", "\"/a\": chunked, compressed, compact or virtual"},
      {"virtual", "\"/a\": chunked, compressed, compact or virtual"},
      {"never_written", "\"/a\": the elements were never written"},
      {"many_axes", "\"/a\": expected at most 8 axes"},
      {"user_block", "not an HDF5 file"},
  };
  for (const auto& [name, why] : kCases) {
    EXPECT_THAT(Refusal(HostileFile(name)),
                AllOf(HasSubstr(HostileFile(name)), HasSubstr(why)));
  }
}

TEST(Hdf5Test, RefusesOtherFiles) {
  ModelDirectory directory;
  for (const char* contents : {"", "\x89HDF", "version https://git-lfs"}) {
    directory.Write("tf_model.h5", contents);
    EXPECT_EQ(Refusal(directory.File("tf_model.h5")),
              directory.File("tf_model.h5") +
                  ": not an HDF5 file; incomplete download?");
  }
  directory.Write("tf_model.h5", "\x89HDF\r\n\x1a\n and nothing else");
  EXPECT_EQ(Refusal(directory.File("tf_model.h5")),
            directory.File("tf_model.h5") +
                ": cannot be opened as HDF5: damaged, or an incomplete "
                "download");
}

TEST(Hdf5Test, RefusesEveryTruncation) {
  const std::string whole = Contents(GoldenModel("tf_v1_tag/tf_model.h5"));
  ASSERT_GT(whole.size(), 10000u);
  ModelDirectory directory;
  for (size_t i = 0; i < 60; ++i) {
    // The last: all but one byte.
    const size_t size = i < 59 ? whole.size() * i / 59 : whole.size() - 1;
    directory.Write("tf_model.h5", whole.substr(0, size));
    EXPECT_THAT(Refusal(directory.File("tf_model.h5")),
                HasSubstr(directory.File("tf_model.h5")));
  }
}

// A damaged file is read or refused, whatever becomes of the child.
TEST(Hdf5Test, SurvivesDamage) {
  const std::string whole = Contents(GoldenModel("tf_v2_tag/tf_model.h5"));
  ASSERT_GT(whole.size(), 10000u);
  ModelDirectory directory;
  std::mt19937 random(7);
  int refused = 0;
  for (int i = 0; i < 120; ++i) {
    std::string damaged = whole;
    for (int flips = 0; flips < 40; ++flips) {
      damaged[random() % damaged.size()] ^=
          static_cast<char>(1 << (random() % 8));
    }
    directory.Write("tf_model.h5", damaged);
    const Read read = ReadFile(directory.File("tf_model.h5"));
    if (read.contents.ok()) {
      for (const auto& [name, tensor] : read.contents->tensors) {
        ReadFloats(tensor);
      }
      continue;
    }
    ++refused;
    EXPECT_EQ(read.contents.status().code(),
              absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(read.contents.status().message()),
                HasSubstr(directory.File("tf_model.h5")));
    EXPECT_LT(read.contents.status().message().size(), 2000u);
  }
  EXPECT_GT(refused, 10);
}

// One of 1500 random changes to small files that HDF5 1.10.8 dies of; a later
// library may refuse it, and a sanitizer says so in its own words.
TEST(Hdf5Test, SurvivesItsReader) {
  EXPECT_THAT(Refusal(HostileFile("kills_hdf5_1_10")),
              AnyOf(HasSubstr("killed by signal 11"), HasSubstr("damaged"),
                    HasSubstr("AddressSanitizer")));
}

TEST(Hdf5Test, SaysWhichProgramIsMissing) {
  const Read read = ReadFile(HostileFile("types"), "/no/such/program");
  EXPECT_EQ(read.contents.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(
      std::string(read.contents.status().message()),
      AllOf(HasSubstr(HostileFile("types")), HasSubstr("deberta-read-hdf5"),
            HasSubstr("/no/such/program"), HasSubstr("deberta-convert")));
}

TEST(Hdf5Test, FindsTheReaderBesideTheProgram) {
  EXPECT_EQ(Hdf5ReaderBesideProgram(),
            std::filesystem::read_symlink("/proc/self/exe").parent_path() /
                "deberta-read-hdf5");
}

// A reader that does what a reader that was taken over could do.
class Hdf5ReaderTest : public testing::Test {
 protected:
  std::string Outcome(const std::string& script,
                      std::chrono::milliseconds limit = kLong) {
    const std::string program = directory_.File("reader");
    directory_.Write("reader", "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    const Read read = ReadFile(HostileFile("types"), program, limit);
    return read.contents.ok() ? "ok"
                              : std::string(read.contents.status().message());
  }

 private:
  ModelDirectory directory_;
};

TEST_F(Hdf5ReaderTest, TellsHowItDied) {
  EXPECT_EQ(Outcome("echo '{}'"), "ok");
  EXPECT_THAT(Outcome("kill -SEGV $$"),
              AllOf(HasSubstr("killed by signal 11"), HasSubstr("types.h5")));
  EXPECT_THAT(Outcome("echo out of luck; exit 3"),
              HasSubstr("exit status 3: out of luck"));
  EXPECT_THAT(Outcome("exit 1"), HasSubstr("exit status 1"));
  EXPECT_THAT(Outcome("printf 'why\\n\\033[2Jnot\\n'; exit 1"),
              HasSubstr(": why  [2Jnot"));
}

TEST_F(Hdf5ReaderTest, IsStoppedWhenItHangsOrRaves) {
  EXPECT_THAT(Outcome("while :; do :; done", std::chrono::milliseconds(1)),
              HasSubstr("stopped after 1 ms"));
  EXPECT_THAT(Outcome("exec >&- 2>&-; while :; do :; done"),
              HasSubstr("killed by signal 9"));
  EXPECT_THAT(
      Outcome("a=0123456789; a=$a$a$a$a$a$a$a$a$a$a; a=$a$a$a$a$a$a$a$a$a$a; "
              "while :; do echo $a$a$a$a$a$a$a$a$a$a; done"),
      HasSubstr("stopped after writing more than 16777216 bytes"));
}

TEST_F(Hdf5ReaderTest, IsGivenNothing) {
  // A descriptor that children would inherit.
  const int inherited = fcntl(STDERR_FILENO, F_DUPFD, 50);
  ASSERT_GE(inherited, 50);
  const std::string entry = absl::StrCat("/proc/$$/fd/", inherited);
  EXPECT_EQ(Outcome("[ -e /proc/$$/fd/2 ] || exit 1; [ -e " + entry +
                    " ] && exit 1; read line && exit 1; echo '{}'"),
            "ok");
  close(inherited);
  for (const char* name : {"DEBERTA_A", "HDF5_PLUGIN_PATH", "HDF5_DRIVER"}) {
    setenv(name, "/given", 1);
    EXPECT_EQ(Outcome(absl::StrCat("[ -z \"$", name, "\" ] && echo '{}'")),
              "ok");
    unsetenv(name);
  }
}

TEST_F(Hdf5ReaderTest, CannotPointOutOfTheFile) {
  EXPECT_THAT(Outcome("echo '{\"a\":{\"dtype\":\"F32\",\"shape\":[1],"
                      "\"data_offsets\":[8694,8698]}}'"),
              HasSubstr("beyond the end of the file"));
  EXPECT_THAT(Outcome("echo '{\"a\":{\"dtype\":\"F32\",\"shape\":[2],"
                      "\"data_offsets\":[0,4]}}'"),
              HasSubstr("takes 8 bytes"));
  EXPECT_THAT(Outcome("echo '{'"),
              HasSubstr("header is not valid JSON: line 2"));
}

TEST(Hdf5CheckpointTest, NamesWhatAShardLacks) {
  ModelDirectory directory;
  std::filesystem::copy(GoldenModel("tf_v2_shards"), directory.path());
  const std::string index = directory.File("tf_model.h5.index.json");
  std::string json = Contents(index);
  const Checkpoint::Options options = {.hdf5_reader = DEBERTA_HDF5_READER};
  ASSERT_TRUE(Checkpoint::Open(directory.path(), options).ok());
  const size_t at = json.find("pooler/dense/bias:0");
  ASSERT_NE(at, json.npos);
  json.replace(at, 6, "Pooler");
  directory.Write("tf_model.h5.index.json", json);
  EXPECT_THAT(
      std::string(
          Checkpoint::Open(directory.path(), options).status().message()),
      AllOf(HasSubstr(index), HasSubstr("Pooler/dense/bias:0\" is not in")));
}

TEST(Hdf5CheckpointTest, ReportsSourceNamesAndCopies) {
  const auto checkpoint = Checkpoint::Open(
      GoldenModel("tf_v1_fill"), {.hdf5_reader = DEBERTA_HDF5_READER});
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ((*checkpoint)->weights_format(), "hdf5");
  const std::string model = "tf_deberta_for_masked_lm/deberta/embeddings/";
  EXPECT_EQ((*checkpoint)
                ->source_names()
                .find("embeddings.word_embeddings.weight")
                ->second,
            "deberta/" + model + "word_embeddings/weight:0");
  const std::string why = "a copy of another layer's weights";
  EXPECT_THAT(
      (*checkpoint)->skipped(),
      ElementsAre(Pair("cls/" + model + "LayerNorm/beta:0", why),
                  Pair("cls/" + model + "LayerNorm/gamma:0", why),
                  Pair("cls/" + model + "word_embeddings/weight:0", why)));
}

}  // namespace
}  // namespace deberta::model
