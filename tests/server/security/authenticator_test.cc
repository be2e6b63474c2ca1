#include "server/security/authenticator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace deberta::server {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string FileOf(const std::string& token, const std::string& name,
                   const std::string& more = "") {
  const TokenHash hash = HashToken(token);
  return absl::StrCat(
      R"({"tokens": [{"name": ")", name, R"(", "sha256": ")",
      absl::BytesToHexString(
          {reinterpret_cast<const char*>(hash.data()), hash.size()}),
      "\"", more, "}]}");
}

class AuthenticatorTest : public testing::Test {
 protected:
  ~AuthenticatorTest() override { unlink(path_.c_str()); }

  // In place of the file before, as one that is renamed is.
  void Write(const std::string& text) {
    const std::string beside = path_ + ".new";
    std::ofstream(beside) << text;
    ASSERT_EQ(rename(beside.c_str(), path_.c_str()), 0);
  }
  std::unique_ptr<Authenticator> Open() {
    auto opened =
        Authenticator::Open(path_, absl::InfiniteDuration(),
                            [this](const absl::Status& status, size_t) {
                              told_.push_back(status);
                            });
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  const std::string path_ = absl::StrCat("/tmp/deberta_tokens_", getpid());
  std::vector<absl::Status> told_;
};

TEST_F(AuthenticatorTest, KnowsItsTokensAlone) {
  Write(FileOf("secret", "search"));
  const auto authenticator = Open();
  for (const char* good : {"Bearer secret", "bearer secret", "BEARER secret"})
    EXPECT_EQ((*authenticator->Authenticate(good))->rules().name, "search");
  for (const char* bad : {"", "Bearer", "Bearer ", "secret", "Basic secret",
                          "Bearer secre", "Bearer secret ", "Bearer  secret",
                          "Bearer secrets", "Bearer SECRET", "Bearersecret"}) {
    const absl::Status status = authenticator->Authenticate(bad).status();
    EXPECT_TRUE(absl::IsUnauthenticated(status)) << bad;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secre")));
  }
}

TEST_F(AuthenticatorTest, ReadsAChangedFileAgain) {
  Write(FileOf("old", "search"));
  const auto authenticator = Open();
  authenticator->Poll();
  EXPECT_TRUE(told_.empty());
  Write(FileOf("new", "search"));
  authenticator->Poll();
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_TRUE(told_[0].ok());
  EXPECT_FALSE(authenticator->Authenticate("Bearer old").ok());
  EXPECT_TRUE(authenticator->Authenticate("Bearer new").ok());
}

TEST_F(AuthenticatorTest, KeepsTheOldFileBesideABadOneAndSaysSoOnce) {
  Write(FileOf("old", "search"));
  const auto authenticator = Open();
  Write("{\"tokens\": [");
  for (int i = 0; i < 3; ++i) authenticator->Poll();
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_FALSE(told_[0].ok());
  unlink(path_.c_str());
  for (int i = 0; i < 3; ++i) authenticator->Poll();
  ASSERT_EQ(told_.size(), 2u);
  EXPECT_FALSE(told_[1].ok());
  EXPECT_TRUE(authenticator->Authenticate("Bearer old").ok());
  Write(FileOf("new", "search"));
  authenticator->Poll();
  EXPECT_TRUE(authenticator->Authenticate("Bearer new").ok());
}

TEST_F(AuthenticatorTest, AReloadIsNoNewBurst) {
  const std::string rate = R"(, "requests_per_second": 0.001)";
  Write(FileOf("t", "search", rate));
  const auto authenticator = Open();
  const absl::Time now = absl::UnixEpoch();
  EXPECT_EQ((*authenticator->Authenticate("Bearer t"))->Enter(now),
            absl::ZeroDuration());
  Write(FileOf("t", "search", rate + R"(, "models": [])"));
  authenticator->Poll();
  EXPECT_GT((*authenticator->Authenticate("Bearer t"))->Enter(now),
            absl::ZeroDuration());
}

TEST_F(AuthenticatorTest, NamesAFileThatCannotBeRead) {
  const auto message = [](const std::string& path) {
    return std::string(
        Authenticator::Open(path, absl::InfiniteDuration(), nullptr)
            .status()
            .message());
  };
  EXPECT_THAT(message(path_), HasSubstr(path_ + ": No such file"));
  EXPECT_THAT(message("/tmp"), HasSubstr("/tmp: expected a regular file"));
  EXPECT_THAT(message("/dev/zero"), HasSubstr("expected a regular file"));
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);  // that nobody writes into
  EXPECT_THAT(message(path_), HasSubstr("expected a regular file"));
}

}  // namespace
}  // namespace deberta::server
