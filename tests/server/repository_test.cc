#include "server/repository.h"

#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::server {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Loads whatever does not hold a file "bad", and writes down what it does.
class StandInHost : public RepositoryHost {
 public:
  bool IsFixed(const std::string& model) const override {
    return model == "fixed";
  }
  absl::Status Load(const std::string& model, int64_t version,
                    const std::string& directory,
                    const std::function<absl::Status()>& check) override {
    const std::lock_guard lock(mutex_);
    if (before_check) before_check();
    absl::Status status = check();
    if (fs::exists(directory + "/bad")) status = absl::DataLossError("bad");
    events_.push_back(
        absl::StrCat(status.ok() ? "load " : "fail ", model, "/", version));
    changed_.notify_all();
    return status;
  }
  void Remove(const std::string& model) override {
    const std::lock_guard lock(mutex_);
    events_.push_back("remove " + model);
    changed_.notify_all();
  }

  // What was done since the last time.
  std::vector<std::string> Events() {
    const std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
  }
  void WaitForEvents(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return events_.size() >= count; });
  }

  std::function<void()> before_check;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> events_;
};

class RepositoryTest : public testing::Test {
 protected:
  RepositoryTest()
      : root_(testing::TempDir() + "/repository_" +
              testing::UnitTest::GetInstance()->current_test_info()->name()),
        log_file_(std::tmpfile()),
        log_(fileno(log_file_)),
        repository_(root_, &host_, &log_) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~RepositoryTest() override { fs::remove_all(root_); }

  void Write(const std::string& name, const std::string& text = "x") const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  std::vector<std::string> Look(bool settled) {
    const absl::Status status = repository_.Look(settled);
    EXPECT_TRUE(status.ok()) << status;
    return host_.Events();
  }

  const fs::path root_;
  StandInHost host_;
  std::FILE* const log_file_;
  Log log_;
  Repository repository_;
};

TEST_F(RepositoryTest, FollowsTheDirectory) {
  EXPECT_THAT(Look(true), IsEmpty());
  Write("a/config.json");
  Write("fixed/config.json");
  EXPECT_THAT(Look(false), IsEmpty());
  EXPECT_THAT(Look(false), ElementsAre("load a/0"));
  Write("b/2/config.json");
  Write("b/3/config.json");
  Write("b/3/bad");
  EXPECT_THAT(Look(true), ElementsAre("fail b/3", "load b/2"));
  EXPECT_THAT(Look(false), IsEmpty());
  fs::remove_all(root_ / "a");
  EXPECT_THAT(Look(true), ElementsAre("remove a", "fail b/3"));
}

TEST_F(RepositoryTest, WhatChangesWhileItLoadsIsLoadedAgain) {
  Write("m/config.json");
  host_.before_check = [&] { Write("m/weights"); };
  EXPECT_THAT(Look(true), ElementsAre("fail m/0"));
  host_.before_check = nullptr;
  EXPECT_THAT(Look(false), IsEmpty());
  EXPECT_THAT(Look(false), ElementsAre("load m/0"));
}

TEST_F(RepositoryTest, ADirectoryThatCannotBeReadChangesNothing) {
  Write("m/config.json");
  EXPECT_THAT(Look(true), ElementsAre("load m/0"));
  fs::rename(root_, root_.string() + "_away");
  EXPECT_EQ(repository_.Look(true).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(host_.Events(), IsEmpty());
  fs::rename(root_.string() + "_away", root_);
  EXPECT_THAT(Look(true), IsEmpty());
}

TEST_F(RepositoryTest, TheThreadPolls) {
  Write("m/config.json");
  repository_.Start(absl::Milliseconds(1));
  host_.WaitForEvents(1);
  fs::remove_all(root_ / "m");
  host_.WaitForEvents(2);
  EXPECT_THAT(host_.Events(), ElementsAre("load m/0", "remove m"));
}

TEST_F(RepositoryTest, TheThreadReloadsWhenItIsAsked) {
  repository_.Start(absl::InfiniteDuration());
  Write("m/config.json");
  repository_.Reload();
  host_.WaitForEvents(1);
  EXPECT_THAT(host_.Events(), ElementsAre("load m/0"));
}

TEST_F(RepositoryTest, NothingIsStartedAfterStop) {
  repository_.Start(absl::InfiniteDuration());
  repository_.Stop();
  Write("m/config.json");
  repository_.Reload();
  EXPECT_THAT(host_.Events(), IsEmpty());
}

}  // namespace
}  // namespace deberta::server
