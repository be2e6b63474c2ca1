// What loading a model shows and says of its files.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/checkpoint/checkpoint.h"
#include "model/model.h"
#include "server/models/file_digest.h"
#include "server/models/load_progress.h"

namespace deberta::server {
namespace {

std::vector<float> Logits(const model::Model& network) {
  model::RaggedBatch batch;
  batch.ids = {1, 5, 6, 2};
  batch.type_ids = {0, 0, 0, 0};
  batch.starts = {0, 4};
  batch.logit_rows = {0};
  model::BatchOutput output;
  model::Workspace workspace(1);
  EXPECT_TRUE(network.Forward(batch, workspace, &output).ok());
  return output.logits;
}

TEST(FileDigestTest, IsSha256HoweverTheBytesCome) {
  const std::string text = "abc";
  for (size_t first = 0; first <= text.size(); ++first) {
    Sha256 sha256;
    sha256.Add(std::as_bytes(std::span(text).first(first)));
    sha256.Add(std::as_bytes(std::span(text).subspan(first)));
    EXPECT_EQ(
        sha256.Finish(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  }
}

// Whoever replaces a file while models are loaded from it gets models of what
// was read.
TEST(SharedCheckpointTest, IsOfTheWeightsThatWereRead) {
  const std::filesystem::path golden =
      DEBERTA_SOURCE_DIR "/tests/golden/models/v3_classify";
  const std::filesystem::path copy = testing::TempDir() + "/replaced";
  std::filesystem::remove_all(copy);
  std::filesystem::create_directories(copy);
  for (const char* name : {"config.json", "model.safetensors"})
    std::filesystem::copy_file(golden / name, copy / name);
  auto opened = model::Checkpoint::Open(copy, {});
  ASSERT_TRUE(opened.ok()) << opened.status();
  const std::shared_ptr<const model::Checkpoint> checkpoint =
      *std::move(opened);
  std::ofstream(copy / "other") << "no weights";
  std::filesystem::rename(copy / "other", copy / "model.safetensors");

  const auto loaded = model::Model::Load(golden, {});
  const auto fp32 = model::Model::Load(checkpoint, {.share_checkpoint = true});
  const auto int8 = model::Model::Load(
      checkpoint,
      {.precision = model::Precision::kInt8, .share_checkpoint = true});
  ASSERT_TRUE(loaded.ok() && fp32.ok() && int8.ok()) << fp32.status();
  EXPECT_EQ(Logits(**fp32), Logits(**loaded));
  EXPECT_EQ((*int8)->parameters(), (*loaded)->parameters());
  const std::vector<float> lower = Logits(**int8);
  (*int8)->ReleaseCheckpoint();
  EXPECT_EQ(Logits(**fp32), Logits(**loaded)) << "reads its embeddings there";
  EXPECT_EQ(Logits(**int8), lower);
}

TEST(LoadProgressTest, SaysTensorsAndMegabytes) {
  EXPECT_EQ(FormatProgress("m", {.tensors_done = 12,
                                 .tensors_total = 199,
                                 .bytes_done = 3'440'000,
                                 .bytes_total = 12'000'000}),
            "m  12/199 tensors  3.4/12.0 MB");
}

}  // namespace
}  // namespace deberta::server
