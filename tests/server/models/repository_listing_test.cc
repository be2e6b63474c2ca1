#include "server/models/repository_listing.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::server {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::Key;

class RepositoryListingTest : public testing::Test {
 protected:
  RepositoryListingTest()
      : root_(testing::TempDir() + "/repository_listing_" +
              testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~RepositoryListingTest() override { fs::remove_all(root_); }

  void Write(const std::string& name, const std::string& text = "x") const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  RepositoryListing List() const {
    const auto listing = ListRepository(root_);
    EXPECT_TRUE(listing.ok()) << listing.status();
    return *listing;
  }

  const fs::path root_;
};

TEST_F(RepositoryListingTest, FindsModelsAndVersions) {
  Write("plain/config.json");
  Write("plain/onnx/model.onnx");
  Write("versioned/2/config.json");
  Write("versioned/10/config.json");
  Write("versioned/10/weights");
  Write("versioned/README.md");
  Write("versioned/7/.hidden");
  fs::create_directory(root_ / "versioned/8");
  Write("versioned/012/config.json");
  Write("versioned/9x/config.json");
  fs::create_directory(root_ / "empty");
  Write("README.md");
  Write(".git/config");
  const RepositoryListing listing = List();
  EXPECT_THAT(listing.models, ElementsAre(Key("plain"), Key("versioned")));
  EXPECT_THAT(listing.models.at("plain"), ElementsAre(Key(0)));
  EXPECT_EQ(listing.models.at("plain").at(0).size(), 1u);
  EXPECT_THAT(listing.models.at("versioned"), ElementsAre(Key(2), Key(10)));
  EXPECT_EQ(listing.models.at("versioned").at(10).size(), 2u);
  EXPECT_TRUE(listing.unusable.empty());
  EXPECT_EQ(VersionDirectory("r", "plain", 0), "r/plain");
  EXPECT_EQ(VersionDirectory("r", "versioned", 10), "r/versioned/10");
}

TEST_F(RepositoryListingTest, StampsTellEveryChange) {
  Write("m/config.json", "one");
  Write("m/weights", "12345");
  const auto stamp = [&] { return List().models.at("m").at(0); };
  const DirectoryStamp first = stamp();
  EXPECT_EQ(stamp(), first);
  Write("m/weights", "123456");
  const DirectoryStamp longer = stamp();
  EXPECT_NE(longer, first);
  fs::last_write_time(root_ / "m/weights", fs::file_time_type());
  const DirectoryStamp older = stamp();
  EXPECT_NE(older, longer);
  Write("m/other", "123456");
  fs::last_write_time(root_ / "m/other", fs::file_time_type());
  fs::rename(root_ / "m/other", root_ / "m/weights");
  EXPECT_NE(stamp(), older) << "another file of that name, size and time";
  fs::remove(root_ / "m/config.json");
  EXPECT_EQ(stamp().size(), 1u);
}

TEST_F(RepositoryListingTest, FollowsLinksAndCountsWhatIsNoFile) {
  Write("real/config.json");
  fs::create_directory(root_ / "m");
  fs::create_symlink(root_ / "real/config.json", root_ / "m/config.json");
  fs::create_symlink(root_ / "nothing", root_ / "m/dangling");
  ASSERT_EQ(mkfifo((root_ / "m/weights").c_str(), 0600), 0);
  fs::create_directory_symlink(root_ / "real", root_ / "link");
  const RepositoryListing listing = List();
  EXPECT_EQ(listing.models.at("m").at(0).size(), 2u);
  EXPECT_EQ(listing.models.at("link"), listing.models.at("real"));
}

TEST_F(RepositoryListingTest, NamesWhatNoRequestCouldAskForOrIsTooMuch) {
  Write("with space/config.json");
  Write(std::string(65, 'n') + "/config.json");
  for (int i = 0; i < 1100; ++i) Write("crowded/" + std::to_string(i) + ".bin");
  const RepositoryListing listing = List();
  EXPECT_TRUE(listing.models.empty());
  EXPECT_THAT(listing.unusable,
              ElementsAre("crowded", std::string(65, 'n'), "with space"));
}

TEST_F(RepositoryListingTest, ARepositoryThatCannotBeReadIsAnError) {
  EXPECT_EQ(ListRepository(root_ / "none").status().code(),
            absl::StatusCode::kNotFound);
  for (int i = 0; i < 300; ++i) fs::create_directory(root_ / std::to_string(i));
  EXPECT_EQ(ListRepository(root_).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace deberta::server
