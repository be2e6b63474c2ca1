// Weights whose file changes while a model of it is in use: the word embeddings
// are read where the file is mapped.

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/model.h"
#include "tests/model/checkpoint/model_directory.h"
#include "tests/model/golden_model.h"

namespace deberta::model {
namespace {

using testing::HasSubstr;

class ChangedWeightsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::copy(GoldenModel("v3_classify"), directory_.path(),
                          std::filesystem::copy_options::recursive);
    // A file's time may be as coarse as a tick of the kernel.
    const timespec long_ago[2] = {{.tv_sec = 1, .tv_nsec = 0},
                                  {.tv_sec = 1, .tv_nsec = 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, weights().c_str(), long_ago, 0), 0);
    auto model = Model::Load(directory_.path(), {});
    ASSERT_TRUE(model.ok()) << model.status();
    model_ = *std::move(model);
    ASSERT_TRUE(Forward().ok()) << Forward();
  }

  std::string weights() const { return directory_.File("model.safetensors"); }

  absl::Status Forward() {
    BatchBuilder builder(model_->head());
    const std::vector<int32_t> ids = {1, 5, 2};
    builder.Add(ids, std::vector<int32_t>(ids.size()));
    return model_->Forward(builder.batch(), workspace_, &output_);
  }

  void ExpectNamed(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(weights()));
  }

  ModelDirectory directory_;
  std::unique_ptr<const Model> model_;
  Workspace workspace_{1};
  BatchOutput output_;
};

TEST_F(ChangedWeightsTest, OverwrittenInPlace) {
  std::fstream file(weights(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-1, std::ios::end);
  file.put('x');
  file.close();
  ExpectNamed(Forward());
}

// By cp of another file: cut to nothing first.
TEST_F(ChangedWeightsTest, CutShort) {
  std::filesystem::resize_file(weights(), 0);
  ExpectNamed(Forward());
}

TEST_F(ChangedWeightsTest, ReplacedByAnotherOfItsName) {
  std::filesystem::copy_file(weights(), directory_.File("new"));
  std::filesystem::rename(directory_.File("new"), weights());
  EXPECT_TRUE(Forward().ok()) << Forward();
}

TEST_F(ChangedWeightsTest, Deleted) {
  std::filesystem::remove(weights());
  EXPECT_TRUE(Forward().ok()) << Forward();
}

TEST_F(ChangedWeightsTest, ChangedWhileTheyAreLoaded) {
  Model::Options options;
  options.observer = [&](const LoadProgress& progress) {
    if (progress.tensors_done == 1) {
      std::ofstream(weights(), std::ios::app | std::ios::binary) << "x";
    }
  };
  ExpectNamed(Model::Load(directory_.path(), options).status());
}

}  // namespace
}  // namespace deberta::model
