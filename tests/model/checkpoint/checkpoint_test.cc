#include "model/checkpoint/checkpoint.h"

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/checkpoint/weight_names.h"
#include "tests/model/checkpoint/model_directory.h"

namespace deberta::model {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr char kConfig[] = R"({"model_type":"deberta"})";

// One F32 tensor of one element.
std::string OneTensor(const std::string& name, float value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return SafetensorsBytes({{name, TensorView{DType::kF32, {1}, bytes}}});
}

std::string Refusal(const ModelDirectory& directory, absl::StatusCode code) {
  const auto checkpoint = Checkpoint::Open(directory.path(), {});
  EXPECT_EQ(checkpoint.status().code(), code) << checkpoint.status();
  return std::string(checkpoint.status().message());
}

TEST(CheckpointTest, OpensOneFile) {
  ModelDirectory directory;
  directory.Write("config.json", kConfig);
  const std::string file = OneTensor("deberta.encoder.LayerNorm.gamma", 2.5f);
  directory.Write("model.safetensors", file);
  const auto checkpoint = Checkpoint::Open(directory.path(), {});
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ((*checkpoint)->config().hidden_size, 768);
  EXPECT_EQ((*checkpoint)->weights_path(), directory.File("model.safetensors"));
  EXPECT_EQ((*checkpoint)->weights_bytes(), file.size());
  EXPECT_EQ((*checkpoint)->Find("deberta.encoder.LayerNorm.gamma"), nullptr);
  const TensorView* tensor = (*checkpoint)->Find("encoder.LayerNorm.weight");
  ASSERT_NE(tensor, nullptr);
  EXPECT_THAT(ReadFloats(*tensor), ElementsAre(2.5f));
}

TEST(CheckpointTest, PrefersTheSingleFileToTheIndex) {
  ModelDirectory directory;
  directory.Write("config.json", kConfig);
  directory.Write("model.safetensors", OneTensor("a", 1.0f));
  directory.Write("model.safetensors.index.json", "{");
  EXPECT_TRUE(Checkpoint::Open(directory.path(), {}).ok());
}

TEST(CheckpointTest, OpensShards) {
  const auto checkpoint =
      Checkpoint::Open(GoldenModel("v1_embed_proj_fill"), {});
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ((*checkpoint)->weights_path(),
            GoldenModel("v1_embed_proj_fill/model.safetensors.index.json"));
  EXPECT_NE((*checkpoint)->Find("embeddings.word_embeddings.weight"), nullptr);
  EXPECT_NE((*checkpoint)->Find("cls.predictions.bias"), nullptr);
}

// What names the weights is of those that are loaded: their bytes are told as
// they are read.
TEST(CheckpointTest, TellsTheBytesOfTheFileThatNamesTheWeights) {
  const std::string shard = OneTensor("a", 1.0f);
  const std::string index = R"({"weight_map": {"a": "one.safetensors"}})";
  for (const auto& [name, contents] :
       {std::pair("model.safetensors", shard),
        std::pair("model.safetensors.index.json", index)}) {
    ModelDirectory directory;
    directory.Write("config.json", kConfig);
    directory.Write("one.safetensors", shard);
    directory.Write(name, contents);
    std::string told;
    const auto checkpoint = Checkpoint::Open(
        directory.path(),
        {.weights_observer = [&told](std::span<const std::byte> bytes) {
          told.append(reinterpret_cast<const char*>(bytes.data()),
                      bytes.size());
        }});
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    EXPECT_EQ((*checkpoint)->weights_path(), directory.File(name));
    EXPECT_EQ(told, contents);
  }
}

TEST(CheckpointTest, KeepsOneTensorAndGivesTheRestBack) {
  ModelDirectory directory;
  directory.Write("config.json", kConfig);
  directory.Write("model.safetensors.index.json",
                  R"({"weight_map": {"a": "one", "b": "two"}})");
  directory.Write("one", OneTensor("a", 1.0f));
  directory.Write("two", OneTensor("b", 2.0f));
  const auto checkpoint = Checkpoint::Open(directory.path(), {});
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  const TensorView& kept = *(*checkpoint)->Find("b");
  (*checkpoint)->ReleaseAllBut(&kept);
  EXPECT_EQ(ReadFloats(kept).front(), 2.0f);
  EXPECT_EQ(ReadFloats(*(*checkpoint)->Find("a")).front(), 0.0f);
}

TEST(CheckpointTest, NamesAMissingDirectoryOrFile) {
  const auto checkpoint = Checkpoint::Open("/no/such/model", {});
  EXPECT_EQ(checkpoint.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(checkpoint.status().message(),
            "/no/such/model: no such model directory");

  ModelDirectory directory;
  EXPECT_THAT(Refusal(directory, absl::StatusCode::kNotFound),
              HasSubstr(directory.File("config.json")));
  directory.Write("config.json", kConfig);
  EXPECT_THAT(Refusal(directory, absl::StatusCode::kNotFound),
              AllOf(HasSubstr(directory.path()), HasSubstr("model.safetensors"),
                    HasSubstr("tf_model.h5.index.json")));
  std::filesystem::create_directory(directory.File("model.safetensors"));
  EXPECT_THAT(Refusal(directory, absl::StatusCode::kInvalidArgument),
              HasSubstr("model.safetensors: expected a regular file"));
}

TEST(CheckpointTest, OpensOnlyAllowedFormats) {
  ModelDirectory directory;
  directory.Write("config.json", kConfig);
  directory.Write("model.safetensors", OneTensor("a", 1.0f));
  const auto opened = Checkpoint::Open(
      directory.path(), {.allowed = {WeightsFormat::kSafetensors}});
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ((*opened)->weights_format(), "safetensors");

  const auto refused = Checkpoint::Open(
      directory.path(),
      {.allowed = {WeightsFormat::kTorch, WeightsFormat::kHdf5}});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(refused.status().message(),
            directory.path() +
                ": no weights: expected pytorch_model.bin, "
                "pytorch_model.bin.index.json, tf_model.h5, "
                "tf_model.h5.index.json; found model.safetensors, which "
                "--allowed_weights=torch,hdf5 does not let be read");
}

TEST(CheckpointTest, OpensAGenerator) {
  ModelDirectory directory;
  directory.Write("config.json", R"({"model_type":"roberta"})");
  directory.Write("model.safetensors", "");
  const Checkpoint::Options options = {.variant = WeightsVariant::kGenerator};
  EXPECT_THAT(Checkpoint::Open(directory.path(), options).status().message(),
              HasSubstr("generator_config.json"));
  directory.Write("generator_config.json", kConfig);
  EXPECT_THAT(Checkpoint::Open(directory.path(), options).status().message(),
              HasSubstr("expected model.generator.safetensors, "
                        "pytorch_model.generator.bin"));
  directory.Write("pytorch_model.generator.bin", "");
  directory.Write("model.generator.safetensors", OneTensor("a", 1.0f));
  const auto opened = Checkpoint::Open(directory.path(), options);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ((*opened)->weights_path(),
            directory.File("model.generator.safetensors"));
}

std::string TorchFile(const std::string& name) {
  return absl::StrCat(DEBERTA_SOURCE_DIR, "/tests/golden/torch/", name);
}

// Both hold the same tensors; config.zip.bin has a dict among them.
TEST(CheckpointTest, OpensTorchFiles) {
  ModelDirectory directory;
  directory.Write("config.json", kConfig);
  std::filesystem::copy(TorchFile("config.zip.bin"),
                        directory.File("pytorch_model.bin"));
  const auto torch = Checkpoint::Open(directory.path(), {});
  ASSERT_TRUE(torch.ok()) << torch.status();
  EXPECT_EQ((*torch)->weights_format(), "torch");
  EXPECT_EQ((*torch)->weights_path(), directory.File("pytorch_model.bin"));
  EXPECT_THAT((*torch)->skipped(), Contains(Pair("config", "of type dict")));

  std::filesystem::copy(TorchFile("config.safetensors"),
                        directory.File("model.safetensors"));
  const auto safetensors = Checkpoint::Open(directory.path(), {});
  ASSERT_TRUE(safetensors.ok()) << safetensors.status();
  EXPECT_EQ((*safetensors)->weights_format(), "safetensors");
  ASSERT_FALSE((*safetensors)->tensors().empty());
  for (const auto& [name, tensor] : (*safetensors)->tensors()) {
    const TensorView* same = (*torch)->Find(name);
    ASSERT_NE(same, nullptr) << name;
    EXPECT_EQ(same->shape, tensor.shape);
    EXPECT_EQ(ReadFloats(*same), ReadFloats(tensor)) << name;
  }
}

TEST(CheckpointTest, OpensTorchShards) {
  ModelDirectory directory;
  directory.Write("config.json", kConfig);
  std::filesystem::copy(TorchFile("config.zip.bin"), directory.File("one.bin"));
  directory.Write("pytorch_model.bin.index.json",
                  R"({"weight_map":{"config":"one.bin"}})");
  const auto checkpoint = Checkpoint::Open(directory.path(), {});
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_FALSE((*checkpoint)->tensors().empty());
  directory.Write("one.bin", "nothing of the kind");
  EXPECT_THAT(Refusal(directory, absl::StatusCode::kInvalidArgument),
              HasSubstr(directory.File("one.bin") + ": "));
}

TEST(CheckpointTest, TellsSourceNamesAndWhatIsSkipped) {
  ModelDirectory directory;
  directory.Write("config.json", kConfig);
  directory.Write("model.safetensors",
                  SafetensorsBytes(
                      R"({"module.deberta.encoder.LayerNorm.beta":
                {"dtype":"F32","shape":[1],"data_offsets":[0,4]},
              "deberta.embeddings.position_ids":
                {"dtype":"I32","shape":[1],"data_offsets":[4,8]}})",
                      std::string(8, '\0')));
  const auto checkpoint = Checkpoint::Open(directory.path(), {});
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_THAT((*checkpoint)->source_names(),
              ElementsAre(Pair("encoder.LayerNorm.bias",
                               "module.deberta.encoder.LayerNorm.beta")));
  EXPECT_THAT(
      (*checkpoint)->skipped(),
      ElementsAre(Pair("deberta.embeddings.position_ids", "of type I32")));
}

// Some exports of discriminators left the sum out.
TEST(CheckpointTest, RefusesEmbeddingsThatAreOnlyADifference) {
  ModelDirectory directory;
  directory.Write("config.json", kConfig);
  directory.Write("model.safetensors",
                  OneTensor("deberta.embeddings.word_embeddings._weight", 1));
  EXPECT_THAT(Refusal(directory, absl::StatusCode::kInvalidArgument),
              AllOf(HasSubstr("\"deberta.embeddings.word_embeddings._weight\""),
                    HasSubstr("\"embeddings.word_embeddings.weight\"")));
  const float value = 1.0f;
  const TensorView tensor{
      DType::kF32, {1}, std::as_bytes(std::span(&value, 1))};
  directory.Write(
      "model.safetensors",
      SafetensorsBytes({{"embeddings.word_embeddings._weight", tensor},
                        {"embeddings.word_embeddings.weight", tensor}}));
  EXPECT_TRUE(Checkpoint::Open(directory.path(), {}).ok());
}

TEST(WeightFilesTest, NamesFormats) {
  for (const WeightsFormat format : AllWeightsFormats()) {
    EXPECT_EQ(WeightsFormatNamed(WeightsFormatName(format)), format);
  }
  EXPECT_EQ(WeightsFormatNamed("pickle"), std::nullopt);
}

// The order of transformers.
TEST(WeightFilesTest, PrefersSafetensorsThenTorchThenHdf5) {
  ModelDirectory directory;
  for (const char* name :
       {"tf_model.h5.index.json", "tf_model.h5", "pytorch_model.bin.index.json",
        "pytorch_model.bin", "model.safetensors.index.json",
        "model.safetensors"}) {
    directory.Write(name, "");
    const auto files = FindWeightFiles(directory.path(), WeightsVariant::kMain,
                                       AllWeightsFormats());
    ASSERT_TRUE(files.ok()) << files.status();
    EXPECT_EQ(files->path, directory.File(name));
    EXPECT_EQ(files->sharded, std::string_view(name).ends_with(".json"));
  }
  const auto torch = FindWeightFiles(directory.path(), WeightsVariant::kMain,
                                     {WeightsFormat::kTorch});
  ASSERT_TRUE(torch.ok()) << torch.status();
  EXPECT_EQ(torch->path, directory.File("pytorch_model.bin"));
}

TEST(CheckpointTest, NamesTheFileThatIsMalformed) {
  ModelDirectory directory;
  directory.Write("config.json", "{");
  EXPECT_EQ(Refusal(directory, absl::StatusCode::kInvalidArgument),
            directory.File("config.json") +
                ": not valid JSON: line 1, column 2: expected a key in quotes, "
                "got the end of the text");
  directory.Write("config.json", R"({"model_type":"roberta"})");
  EXPECT_THAT(Refusal(directory, absl::StatusCode::kInvalidArgument),
              AllOf(HasSubstr(directory.File("config.json")),
                    HasSubstr("\"deberta-v2\""), HasSubstr("roberta")));
  directory.Write("config.json", kConfig);
  directory.Write("model.safetensors", "");
  EXPECT_THAT(Refusal(directory, absl::StatusCode::kInvalidArgument),
              AllOf(HasSubstr(directory.File("model.safetensors")),
                    HasSubstr("incomplete download?")));
}

TEST(CheckpointTest, RefusesTwoTensorsForOneName) {
  ModelDirectory directory;
  directory.Write("config.json", kConfig);
  const float value = 1.0f;
  const TensorView tensor{
      DType::kF32, {1}, std::as_bytes(std::span(&value, 1))};
  directory.Write(
      "model.safetensors",
      SafetensorsBytes({{"encoder.a", tensor}, {"deberta.encoder.a", tensor}}));
  EXPECT_THAT(Refusal(directory, absl::StatusCode::kInvalidArgument),
              AllOf(HasSubstr("\"encoder.a\""), HasSubstr("second tensor")));
}

TEST(CheckpointTest, NamesWhatAShardLacks) {
  ModelDirectory directory;
  directory.Write("config.json", kConfig);
  directory.Write("model.safetensors.index.json",
                  R"({"weight_map":{"a":"one","b":"two"}})");
  directory.Write("one", OneTensor("a", 1.0f));
  EXPECT_THAT(Refusal(directory, absl::StatusCode::kNotFound),
              HasSubstr(directory.File("two")));
  directory.Write("two", OneTensor("c", 1.0f));
  EXPECT_THAT(Refusal(directory, absl::StatusCode::kInvalidArgument),
              AllOf(HasSubstr("model.safetensors.index.json"),
                    HasSubstr("tensor \"b\" is not in two")));
  directory.Write("two", OneTensor("b", 1.0f));
  EXPECT_TRUE(Checkpoint::Open(directory.path(), {}).ok());
}

TEST(LoadedFileTest, ReadsMovesAndReleases) {
  ModelDirectory directory;
  const std::string contents(100000, 'q');
  directory.Write("file", contents);
  auto opened = LoadedFile::Read(directory.File("file"));
  ASSERT_TRUE(opened.ok()) << opened.status();
  LoadedFile file = *std::move(opened);
  ASSERT_EQ(file.bytes().size(), contents.size());
  for (const auto& [first, size] :
       {std::pair<size_t, size_t>{1, 3}, {5000, 50000}, {100000, 0}}) {
    file.Release(file.bytes().subspan(first, size));
  }
  // Pages that hold something else too stay.
  EXPECT_EQ(static_cast<char>(file.bytes()[4999]), 'q');
  EXPECT_EQ(static_cast<char>(file.bytes()[55000]), 'q');
  EXPECT_EQ(static_cast<char>(file.bytes()[30000]), '\0');

  directory.Write("empty", "");
  auto empty = LoadedFile::Read(directory.File("empty"));
  ASSERT_TRUE(empty.ok()) << empty.status();
  EXPECT_TRUE(empty->bytes().empty());
  *empty = std::move(file);
  EXPECT_EQ(empty->bytes().size(), contents.size());
}

}  // namespace
}  // namespace deberta::model
