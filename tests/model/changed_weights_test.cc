// Weights whose file changes while a model of it is loaded or in use.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "model/model.h"
#include "tests/model/checkpoint/model_directory.h"
#include "tests/model/golden_model.h"

namespace deberta::model {
namespace {

class ChangedWeightsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::copy(GoldenModel("v3_classify"), directory_.path(),
                          std::filesystem::copy_options::recursive);
  }

  std::string weights() const { return directory_.File("model.safetensors"); }

  static std::vector<float> Logits(const Model& model) {
    BatchBuilder builder(model.head());
    const std::vector<int32_t> ids = {1, 5, 2};
    builder.Add(ids, std::vector<int32_t>(ids.size()));
    Workspace workspace(1);
    BatchOutput output;
    EXPECT_TRUE(model.Forward(builder.batch(), workspace, &output).ok());
    return output.logits;
  }

  void Overwrite() const {
    std::fstream file(weights(),
                      std::ios::in | std::ios::out | std::ios::binary);
    file << std::string(std::filesystem::file_size(weights()), 'x');
  }

  ModelDirectory directory_;
};

TEST_F(ChangedWeightsTest, NoChangeReachesALoadedModel) {
  const auto model = Model::Load(directory_.path(), {});
  ASSERT_TRUE(model.ok()) << model.status();
  const std::vector<float> before = Logits(**model);
  const std::string saved = directory_.File("saved");
  std::filesystem::copy_file(weights(), saved);
  Overwrite();
  EXPECT_EQ(Logits(**model), before);
  std::filesystem::resize_file(weights(), 0);
  EXPECT_EQ(Logits(**model), before);
  std::filesystem::remove(weights());
  EXPECT_EQ(Logits(**model), before);
  std::filesystem::rename(saved, weights());
  EXPECT_EQ(Logits(**model), before);
}

TEST_F(ChangedWeightsTest, NoChangeReachesAModelThatIsBeingLoaded) {
  const auto expected = Model::Load(directory_.path(), {});
  ASSERT_TRUE(expected.ok()) << expected.status();
  Model::Options options;
  options.observer = [&](const LoadProgress& progress) {
    if (progress.tensors_done == 1) Overwrite();
    if (progress.tensors_done == 3) std::filesystem::resize_file(weights(), 0);
    if (progress.tensors_done == 5) std::filesystem::remove(weights());
  };
  const auto model = Model::Load(directory_.path(), options);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(Logits(**model), Logits(**expected));
}

}  // namespace
}  // namespace deberta::model
