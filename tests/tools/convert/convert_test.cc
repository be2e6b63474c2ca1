#include "tools/convert/convert.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/checkpoint/loaded_file.h"
#include "model/model.h"
#include "tests/model/checkpoint/model_directory.h"
#include "tests/model/golden_model.h"
#include "tools/convert/report.h"

namespace deberta::tools {
namespace {

namespace fs = std::filesystem;
using model::Checkpoint;
using model::GoldenModel;
using model::ModelDirectory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

absl::Status Go(uint64_t, uint64_t) { return absl::OkStatus(); }

Checkpoint::Options Options() {
  Checkpoint::Options options;
  options.hdf5_reader = DEBERTA_HDF5_READER;
  return options;
}

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> Names(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    names.push_back(entry.path().filename());
  }
  return names;
}

std::string Refusal(const std::string& source, const std::string& target) {
  const auto conversion = Convert(source, target, Options(), Go);
  EXPECT_FALSE(conversion.ok());
  return std::string(conversion.status().message());
}

std::map<std::string, int> Rules(const Conversion& conversion) {
  std::map<std::string, int> rules;
  for (const PlannedTensor& tensor : conversion.tensors) ++rules[tensor.rule];
  return rules;
}

std::vector<std::string> AllModels() {
  std::vector<std::string> names = Names(GoldenModel(""));
  std::sort(names.begin(), names.end());
  return names;
}

// The logits and the hidden states of the golden file's first sequence.
std::vector<float> Answer(const std::string& directory,
                          const model::GoldenFile& golden) {
  model::Model::Options options;
  options.checkpoint = Options();
  const auto loaded = model::Model::Load(directory, options);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  if (!loaded.ok()) return {};
  model::Workspace workspace(1);
  model::BatchBuilder builder((*loaded)->head());
  builder.Add(golden.ReadIds("input_ids.0"),
              golden.ReadIds("token_type_ids.0"));
  for (uint32_t row = 0; row < builder.batch().tokens(); ++row) {
    builder.batch().hidden_rows.push_back(row);
  }
  model::BatchOutput output;
  const absl::Status status =
      (*loaded)->Forward(builder.batch(), workspace, &output);
  EXPECT_TRUE(status.ok()) << status;
  std::vector<float> answer(output.logits.begin(), output.logits.end());
  answer.insert(answer.end(), output.hidden.begin(), output.hidden.end());
  return answer;
}

class ConvertGoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(ConvertGoldenTest, AnswersToTheBitAsBefore) {
  const ModelDirectory directory;
  const std::string target = directory.File("converted");
  const auto conversion =
      Convert(GoldenModel(GetParam()), target, Options(), Go);
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  const auto golden = model::GoldenFile::Open(GoldenModel(GetParam()));
  ASSERT_TRUE(golden.ok()) << golden.status();
  const std::vector<float> before = Answer(GoldenModel(GetParam()), *golden);
  ASSERT_FALSE(before.empty());
  EXPECT_EQ(Answer(target, *golden), before);
}

INSTANTIATE_TEST_SUITE_P(Models, ConvertGoldenTest,
                         testing::ValuesIn(AllModels()),
                         [](const auto& model) { return model.param; });

TEST(ConvertTest, GivesTheNamesBackThatTransformersHas) {
  // The same model as transformers wrote it, and with the oldest names.
  const ModelDirectory directory;
  const std::string target = directory.File("converted");
  const auto conversion =
      Convert(GoldenModel("torch_v1_of_old_classify"), target, Options(), Go);
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  const auto original = Checkpoint::Open(GoldenModel("v1_classify"), Options());
  ASSERT_TRUE(original.ok());
  const auto converted = Checkpoint::Open(target, Options());
  ASSERT_TRUE(converted.ok()) << converted.status();
  EXPECT_EQ((*converted)->source_names(), (*original)->source_names());
  EXPECT_THAT((*converted)->skipped(), testing::IsEmpty());
  EXPECT_EQ(conversion->format, "torch");
  EXPECT_THAT(Rules(*conversion),
              UnorderedElementsAre(Pair("module. left out", 30),
                                   Pair("module. left out, gamma to weight", 5),
                                   Pair("module. left out, beta to bias", 5)));
  EXPECT_THAT(conversion->skipped,
              ElementsAre(Pair("config", "of type dict"),
                          Pair("module.deberta.embeddings.position_ids",
                               "of type I64")));
}

TEST(ConvertTest, LeavesOutATiedDecodersCopies) {
  const ModelDirectory directory;
  const auto conversion = Convert(GoldenModel("torch_v1_shards_fill"),
                                  directory.File("converted"), Options(), Go);
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  EXPECT_THAT(
      conversion->skipped,
      ElementsAre(Pair("cls.predictions.decoder.bias", HasSubstr("a copy")),
                  Pair("cls.predictions.decoder.weight", HasSubstr("a copy"))));
  EXPECT_THAT(conversion->left, ElementsAre("golden.safetensors"));
}

TEST(ConvertTest, AddsThePrefixBesideAHeadAlone) {
  const ModelDirectory directory;
  const auto bare =
      Convert(GoldenModel("tf_v1_base"), directory.File("bare"), Options(), Go);
  ASSERT_TRUE(bare.ok()) << bare.status();
  for (const PlannedTensor& tensor : bare->tensors) {
    EXPECT_FALSE(tensor.target.starts_with("deberta.")) << tensor.target;
    EXPECT_EQ(tensor.rule, "TensorFlow's to PyTorch's");
  }
  const auto headed = Convert(GoldenModel("tf_v1_tag"),
                              directory.File("headed"), Options(), Go);
  ASSERT_TRUE(headed.ok()) << headed.status();
  for (const PlannedTensor& tensor : headed->tensors) {
    EXPECT_NE(tensor.target.starts_with("deberta."),
              tensor.target.starts_with("classifier."))
        << tensor.target;
  }
}

// TensorFlow's convolution ignores conv_groups, PyTorch's does not.
TEST(ConvertTest, WritesTheGroupsThatTensorFlowUses) {
  const ModelDirectory directory;
  const std::string target = directory.File("target");
  const auto conversion =
      Convert(GoldenModel("tf_v2_classify"), target, Options(), Go);
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  EXPECT_THAT(
      conversion->files,
      ElementsAre(Pair("config.json", "config.json, where conv_groups was 2")));
  EXPECT_THAT(conversion->left, ElementsAre("golden.safetensors"));
  auto before = nlohmann::json::parse(
      ReadText(GoldenModel("tf_v2_classify") + "/config.json"));
  EXPECT_EQ(before["conv_groups"], 2);
  before["conv_groups"] = 1;
  EXPECT_EQ(nlohmann::json::parse(ReadText(target + "/config.json")), before);
}

// A rewritten configuration would not have them, or not as they are.
TEST(ConvertTest, KeepsNumbersThatOnlyPythonReads) {
  const ModelDirectory directory;
  for (const auto& [golden, weights, converts] :
       {std::tuple("tf_v2_classify", "tf_model.h5", false),
        std::tuple("v3_classify", "model.safetensors", true)}) {
    const std::string source = directory.File(golden);
    fs::create_directory(source);
    fs::copy_file(GoldenModel(golden) + "/" + weights, source + "/" + weights);
    std::string config = ReadText(GoldenModel(golden) + "/config.json");
    config.insert(1, "\"anything\": [NaN, Infinity],");
    std::ofstream(source + "/config.json") << config;
    if (converts) {
      ASSERT_TRUE(Convert(source, source + "/target", Options(), Go).ok());
      EXPECT_EQ(ReadText(source + "/target/config.json"), config);
    } else {
      EXPECT_THAT(Refusal(source, source + "/target"),
                  HasSubstr("config.json: holds NaN"));
    }
  }
}

// Whatever code reads it: converting computes nothing.
TEST(ConvertTest, ConvertsHeadsThatAreNotServed) {
  const ModelDirectory directory;
  std::string config = ReadText(GoldenModel("v3_classify") + "/config.json");
  const std::string known = "DebertaV2ForSequenceClassification";
  config.replace(config.find(known), known.size(), "GuardModel");
  directory.Write("config.json", config);
  fs::copy_file(GoldenModel("v3_classify") + "/model.safetensors",
                directory.File("model.safetensors"));
  const std::string target = directory.File("target");
  const auto conversion = Convert(directory.path(), target, Options(), Go);
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  EXPECT_EQ(ReadText(target + "/config.json"), config);
}

TEST(ConvertTest, CopiesTheTokenizer) {
  const ModelDirectory directory;
  const std::string source = directory.File("source");
  fs::copy(GoldenModel("torch_v2_base"), source);
  const std::vector<std::string> copied = {"vocab.json",
                                           "merges.txt",
                                           "spm.model",
                                           "tokenizer.json",
                                           "added_tokens.json",
                                           "special_tokens_map.json",
                                           "tokenizer_config.json",
                                           "deberta.json"};
  for (const std::string& name : copied) {
    directory.Write("source/" + name, "of " + name);
  }
  directory.Write("source/README.md", "");
  directory.Write("source/bpe_encoder.bin", "not read: there is a vocabulary");
  const std::string target = directory.File("target");
  const auto conversion = Convert(source, target + "/", Options(), Go);
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  for (const std::string& name : copied) {
    EXPECT_EQ(ReadText(target + "/" + name), "of " + name);
  }
  EXPECT_EQ(ReadText(target + "/config.json"),
            ReadText(source + "/config.json"));
  EXPECT_EQ(Names(target).size(), copied.size() + 2);
  EXPECT_THAT(conversion->left, ElementsAre("README.md", "bpe_encoder.bin",
                                            "golden.safetensors"));
  EXPECT_THAT(Names(directory.path()),
              UnorderedElementsAre("source", "target"));
}

TEST(ConvertTest, ConvertsMicrosoftsVocabulary) {
  const ModelDirectory directory;
  const std::string source = directory.File("source");
  fs::copy(GoldenModel("torch_v2_base"), source);
  fs::copy(absl::StrCat(DEBERTA_SOURCE_DIR, "/tests/golden/bpe_encoder.bin"),
           source);
  const std::string target = directory.File("target");
  const auto conversion = Convert(source, target, Options(), Go);
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  EXPECT_THAT(conversion->files,
              ElementsAre(Pair("config.json", "config.json"),
                          Pair("merges.txt", "bpe_encoder.bin"),
                          Pair("vocab.json", "bpe_encoder.bin")));
  EXPECT_THAT(Names(target),
              UnorderedElementsAre("config.json", "merges.txt",
                                   "model.safetensors", "vocab.json"));
  directory.Write("source/bpe_encoder.bin", "something else");
  EXPECT_THAT(Refusal(source, directory.File("other")),
              HasSubstr("source/bpe_encoder.bin: neither a zip archive"));
}

TEST(ConvertTest, ConvertsAGenerator) {
  const ModelDirectory directory;
  const std::string source = directory.File("source");
  fs::create_directory(source);
  fs::copy(GoldenModel("torch_v2_base") + "/pytorch_model.bin",
           source + "/pytorch_model.generator.bin");
  fs::copy(GoldenModel("torch_v2_base") + "/config.json",
           source + "/generator_config.json");
  Checkpoint::Options options = Options();
  options.variant = model::WeightsVariant::kGenerator;
  const std::string target = directory.File("target");
  const auto conversion = Convert(source, target, options, Go);
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  EXPECT_THAT(Names(target),
              UnorderedElementsAre("config.json", "model.safetensors"));
  EXPECT_TRUE(Checkpoint::Open(target, Options()).ok());
}

TEST(ConvertTest, NeverOverwrites) {
  const ModelDirectory directory;
  const std::string source = GoldenModel("torch_v2_base");
  directory.Write("file", "mine");
  fs::create_directory(directory.File("directory"));
  fs::create_symlink("nowhere", directory.File("link"));
  for (const char* name : {"file", "directory", "directory/", "link"}) {
    EXPECT_THAT(Refusal(source, directory.File(name)),
                HasSubstr("exists, and is not overwritten"));
  }
  EXPECT_THAT(Refusal(source, source), HasSubstr("is not overwritten"));
  EXPECT_THAT(Refusal(source, directory.File("no/target")),
              HasSubstr("No such file or directory"));
  EXPECT_THAT(Refusal(source, directory.File("file/target")),
              HasSubstr("Not a directory"));
  EXPECT_EQ(ReadText(directory.File("file")), "mine");
  EXPECT_THAT(Names(directory.path()),
              UnorderedElementsAre("file", "directory", "link"));
}

TEST(ConvertTest, LeavesNothingBehind) {
  const ModelDirectory directory;
  const std::string target = directory.File("target");
  // The source is wrong.
  EXPECT_THAT(Refusal(directory.File("none"), target),
              HasSubstr("no such model directory"));
  fs::copy(GoldenModel("torch_v2_base"), directory.File("source"));
  directory.Write("source/pytorch_model.bin", "cut");
  EXPECT_THAT(Refusal(directory.File("source"), target),
              HasSubstr("source/pytorch_model.bin: neither"));
  // Somebody ends it.
  const auto stopped = Convert(
      GoldenModel("torch_v2_base"), target, Options(),
      [](uint64_t, uint64_t) { return absl::CancelledError("interrupted"); });
  EXPECT_EQ(stopped.status(), absl::CancelledError("interrupted"));
  // The disk takes no more: a limit on the size of files fails as it does.
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {size_t{1} << 14, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THAT(Refusal(GoldenModel("torch_v2_base"), target),
              HasSubstr("model.safetensors: File too large"));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(Names(directory.path()), ElementsAre("source"));
}

TEST(ConvertTest, ReportsForPeopleAndMachines) {
  const Conversion conversion = {
      .weights_path = "dir/pytorch_model.bin",
      .format = "torch",
      .tensors = {{"a", "a", ""},
                  {"b.gamma", "b.weight", "gamma to weight"},
                  {"c.gamma", "c.weight", "gamma to weight"}},
      .skipped = {{"config", "of type dict"}},
      .bytes = 1'500'000,
      .files = {{"config.json", "config.json"},
                {"vocab.json", "bpe_encoder.bin"}},
      .left = {"README.md"},
  };
  EXPECT_EQ(ReportText(conversion),
            "3 tensors, 1.5 MB, from dir/pytorch_model.bin (torch)\n"
            "  names            tensors  the first of them\n"
            "  gamma to weight        2  b.gamma -> b.weight\n"
            "  unchanged              1  a\n"
            "  skipped  because\n"
            "  config   of type dict\n"
            "also written: config.json, vocab.json (from bpe_encoder.bin)\n"
            "not taken: README.md\n");
  const auto json = nlohmann::json::parse(ReportJson(conversion));
  EXPECT_EQ(json["tensors"], 3);
  EXPECT_EQ(json["rules"]["gamma to weight"], 2);
  EXPECT_EQ(json["renamed"].size(), 2u);
  EXPECT_EQ(json["renamed"][0]["from"], "b.gamma");
  EXPECT_EQ(json["skipped"]["config"], "of type dict");
  EXPECT_EQ(json["files"]["vocab.json"], "bpe_encoder.bin");
  EXPECT_EQ(json["left"][0], "README.md");
}

}  // namespace
}  // namespace deberta::tools
