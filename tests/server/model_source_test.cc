#include "server/model_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace deberta::server {
namespace {

using model::WeightsVariant;
using testing::HasSubstr;

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

}  // namespace
}  // namespace deberta::server
