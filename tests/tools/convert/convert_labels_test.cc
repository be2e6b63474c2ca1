// Directories of models that read the caller's labels: GLiNER, GLiClass,
// GLiNER2.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/model.h"
#include "tests/model/checkpoint/model_directory.h"
#include "tests/model/golden_labels.h"
#include "tests/model/golden_model.h"
#include "tools/convert/convert.h"

namespace deberta::tools {
namespace {

namespace fs = std::filesystem;
using model::ModelDirectory;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

absl::Status Go(uint64_t, uint64_t) { return absl::OkStatus(); }

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string LabelModel(const std::string& name) {
  return absl::StrCat(DEBERTA_SOURCE_DIR "/tests/golden/label_heads/", name);
}

std::vector<std::string> AllLabelModels() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(LabelModel(""))) {
    if (entry.is_directory()) names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::vector<float>> LabelAnswers(const std::string& directory,
                                             const std::string& name) {
  std::vector<std::vector<float>> answers;
  const auto model = model::Model::Load(directory, {});
  EXPECT_TRUE(model.ok()) << model.status();
  const auto golden = model::GoldenFile::Open(LabelModel(name));
  EXPECT_TRUE(golden.ok()) << golden.status();
  if (!model.ok() || !golden.ok()) return answers;
  model::Workspace workspace(1);
  for (const auto& sequence : model::ReadLabelSequences(*golden)) {
    const auto logits = model::LabelLogits(**model, sequence, workspace);
    EXPECT_TRUE(logits.ok()) << logits.status();
    if (logits.ok()) answers.push_back(*logits);
  }
  return answers;
}

class ConvertLabelModelTest : public testing::TestWithParam<std::string> {};

TEST_P(ConvertLabelModelTest, AnswersToTheBitAsBefore) {
  const ModelDirectory directory;
  const std::string target = directory.File("converted");
  const auto conversion = Convert(LabelModel(GetParam()), target, {}, Go);
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  EXPECT_THAT(conversion->left, ElementsAre("golden.safetensors"));
  EXPECT_TRUE(fs::exists(target + "/model.safetensors"));
  const auto before = LabelAnswers(LabelModel(GetParam()), GetParam());
  ASSERT_FALSE(before.empty());
  EXPECT_EQ(LabelAnswers(target, GetParam()), before);
}

// Its package finds nothing by other names.
TEST_P(ConvertLabelModelTest, KeepsNamesAndConfiguration) {
  const ModelDirectory directory;
  const std::string target = directory.File("converted");
  const auto conversion = Convert(LabelModel(GetParam()), target, {}, Go);
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  for (const PlannedTensor& tensor : conversion->tensors) {
    EXPECT_EQ(tensor.target, tensor.source);
  }
  for (const auto& [name, origin] : conversion->files) {
    EXPECT_EQ(name, origin);
    EXPECT_EQ(ReadText(target + "/" + name),
              ReadText(LabelModel(GetParam()) + "/" + name));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ConvertLabelModelTest,
                         testing::ValuesIn(AllLabelModels()),
                         [](const auto& model) { return model.param; });

TEST(ConvertLabelsTest, RefusesWhatIsNotServedByItsName) {
  const ModelDirectory directory;
  for (const auto& entry : fs::directory_iterator(LabelModel("gliner_v0"))) {
    fs::copy(entry.path(), directory.File(entry.path().filename()));
  }
  auto config = nlohmann::json::parse(
      ReadText(LabelModel("gliner_v0") + "/gliner_config.json"));
  config["labels_encoder"] = "BAAI/bge-small-en-v1.5";
  std::ofstream(directory.File("gliner_config.json")) << config;
  const auto conversion =
      Convert(directory.path(), directory.File("converted"), {}, Go);
  ASSERT_FALSE(conversion.ok());
  EXPECT_THAT(
      std::string(conversion.status().message()),
      AllOf(HasSubstr("gliner_config.json"), HasSubstr("labels_encoder")));
  EXPECT_FALSE(fs::exists(directory.File("converted")));
}

}  // namespace
}  // namespace deberta::tools
