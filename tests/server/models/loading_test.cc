// What loading a model shows and says of its files.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "server/models/file_digest.h"
#include "server/models/load_progress.h"

namespace deberta::server {
namespace {

TEST(FileDigestTest, IsSha256) {
  const std::string path = testing::TempDir() + "/digest";
  std::ofstream(path) << "abc";
  EXPECT_EQ(Sha256OfFile(path).value(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  std::filesystem::remove(path);
  EXPECT_TRUE(absl::IsNotFound(Sha256OfFile(path).status()));
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
