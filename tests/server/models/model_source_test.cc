#include "server/models/model_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace deberta::server {
namespace {

using model::WeightsVariant;
using testing::HasSubstr;
using testing::StartsWith;

TEST(ModelSourceTest, NamesDefaultToTheDirectorys) {
  const auto models = ParseModels("a=/x/one,/x/two/,three");
  ASSERT_TRUE(models.ok());
  ASSERT_EQ(models->size(), 3u);
  EXPECT_EQ(models->at(0).name, "a");
  EXPECT_EQ(models->at(0).directory, "/x/one");
  EXPECT_EQ(models->at(1).name, "two");
  EXPECT_EQ(models->at(1).directory, "/x/two/");
  EXPECT_EQ(models->at(2).name, "three");
}

TEST(ModelSourceTest, BadModelListsAreRefused) {
  for (const char* models : {"", ",", "a=", "a=/x,", "/", "a b=/x", "=/x",
                             "a=/x,a=/y", "/x/a,/y/a"}) {
    EXPECT_FALSE(ParseModels(models).ok()) << models;
  }
  EXPECT_THAT(std::string(ParseModels("/x/a,/y/a").status().message()),
              HasSubstr("two models are named \"a\""));
}

TEST(ModelSourceTest, AGeneratorHasANameOfItsOwn) {
  const auto models = ParseModels("/x/v3,/x/v3:generator,g=/x/v3/:generator");
  ASSERT_TRUE(models.ok()) << models.status();
  ASSERT_EQ(models->size(), 3u);
  EXPECT_EQ(models->at(0).name, "v3");
  EXPECT_EQ(models->at(0).variant, WeightsVariant::kMain);
  EXPECT_EQ(models->at(1).name, "v3-generator");
  EXPECT_EQ(models->at(1).directory, "/x/v3");
  EXPECT_EQ(models->at(1).variant, WeightsVariant::kGenerator);
  EXPECT_EQ(models->at(2).name, "g");
  EXPECT_EQ(models->at(2).directory, "/x/v3/");
  EXPECT_EQ(models->at(2).variant, WeightsVariant::kGenerator);
  EXPECT_FALSE(ParseModels(":generator").ok());
}

TEST(ModelSourceTest, ADirectoryOfThatNameIsNoGenerator) {
  const std::string directory = testing::TempDir() + "/source:generator";
  std::filesystem::create_directories(directory);
  const auto models = ParseModels("m=" + directory);
  std::filesystem::remove_all(directory);
  ASSERT_TRUE(models.ok()) << models.status();
  EXPECT_EQ(models->at(0).directory, directory);
  EXPECT_EQ(models->at(0).variant, WeightsVariant::kMain);
}

std::string Refusal(const std::string& directory) {
  const absl::Status status =
      CheckDirectory({.name = "m", .directory = directory});
  EXPECT_TRUE(absl::IsNotFound(status)) << directory;
  return std::string(status.message());
}

// All of these were said to lack a tokenizer.
TEST(CheckDirectoryTest, SaysWhatIsNotADirectory) {
  const std::string root = testing::TempDir() + "/check_directory";
  std::filesystem::create_directories(root + "/empty");
  std::ofstream(root + "/file") << "{}";
  EXPECT_EQ(Refusal(root + "/none"),
            "no such directory; expected a directory with config.json, weights "
            "and a tokenizer");
  EXPECT_THAT(Refusal(root + "/file"), StartsWith("a file; expected the dir"));
  EXPECT_THAT(Refusal(root + "/file/below"), StartsWith("no such directory"));
  EXPECT_THAT(Refusal(root + "/empty"), StartsWith("there is no config.json"));
  EXPECT_THAT(
      std::string(CheckDirectory({.name = "m",
                                  .directory = root + "/empty",
                                  .variant = WeightsVariant::kGenerator})
                      .message()),
      StartsWith("there is no generator_config.json"));
  // transformers adds an adapter to the weights beside it.
  std::ofstream(root + "/empty/adapter_config.json") << "{}";
  EXPECT_THAT(Refusal(root + "/empty"), HasSubstr("merge it into its model"));
  std::ofstream(root + "/empty/config.json") << "{}";
  EXPECT_THAT(Refusal(root + "/empty"), HasSubstr("merge it into its model"));
  std::filesystem::remove(root + "/empty/adapter_config.json");
  EXPECT_TRUE(CheckDirectory({.name = "m", .directory = root + "/empty"}).ok());
  EXPECT_THAT(Refusal(root + "/" + std::string(5000, 'x')),
              StartsWith("cannot be looked at: "));
  std::filesystem::remove_all(root);
}

TEST(CheckDirectoryTest, KnowsNamesOfTheHub) {
  for (const char* name : {"microsoft/deberta-v3-base",
                           "https://huggingface.co/microsoft/deberta-v3-base",
                           "https://huggingface.co/microsoft/deberta-v3-base/",
                           "huggingface.co/microsoft/deberta-v3-base",
                           "hf://microsoft/deberta-v3-base"}) {
    EXPECT_THAT(Refusal(name),
                HasSubstr("run `hf download "
                          "microsoft/deberta-v3-base --local-dir "
                          "deberta-v3-base` and give "
                          "--models=deberta-v3-base"));
  }
  for (const char* name :
       {"microsoft/deberta-v3-base@v1.0",
        "https://huggingface.co/microsoft/deberta-v3-base/tree/v1.0"}) {
    EXPECT_THAT(Refusal(name), HasSubstr("deberta-v3-base --revision v1.0 "
                                         "--local-dir"));
  }
  EXPECT_THAT(Refusal("https://example.com/a/b/c"), StartsWith("a URL; "));
  for (const char* path : {"/x/model", "./x/model", "../model", "model",
                           "x/y/model", "~/model", "x/-y", "a b/c"}) {
    EXPECT_THAT(Refusal(path), testing::Not(HasSubstr("hub"))) << path;
  }
  // Its last part is no name that a model may have.
  EXPECT_THAT(
      std::string(
          ParseModels("microsoft/deberta-v3-base@main").status().message()),
      HasSubstr("--revision main"));
  EXPECT_TRUE(ParseModels("microsoft/deberta-v3-base").ok());
}

}  // namespace
}  // namespace deberta::server
