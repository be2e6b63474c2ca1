#include "server/security/token_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace deberta::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kHash(64, 'a');
const std::string kOther(64, 'b');
constexpr char kSecret[] = "xyzzyplugh";

std::string One(const std::string& fields) {
  return absl::StrCat(R"({"tokens": [{"name": "n", "sha256": ")", kHash, "\"",
                      fields, "}]}");
}

TEST(TokenFileTest, ReadsEveryField) {
  const auto file = ParseTokenFile(absl::StrCat(
      R"({"tokens": [{"name": "search.team-1", "sha256": [")", kHash, R"(", ")",
      kOther, R"("], "models": ["a", "b"], "max_priority": "normal",
      "requests_per_second": 10, "requests_burst": 20,
      "tokens_per_second": 0.5}, {"name": "free", "sha256": ")",
      std::string(64, 'C'), R"("}]})"));
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->accounts.size(), 2u);
  const AccountRules& rules = file->accounts[0];
  EXPECT_EQ(rules.name, "search.team-1");
  EXPECT_THAT(*rules.models, ElementsAre("a", "b"));
  EXPECT_EQ(rules.max_priority, Priority::kNormal);
  EXPECT_EQ(rules.requests, (Rate{.per_second = 10, .burst = 20}));
  EXPECT_EQ(rules.tokens, (Rate{.per_second = 0.5, .burst = 1}));
  EXPECT_THAT(file->owners, ElementsAre(0, 0, 1));
  EXPECT_EQ(file->hashes[2][0], 0xcc);
  EXPECT_FALSE(file->accounts[1].models.has_value());
  EXPECT_EQ(file->accounts[1].max_priority, Priority::kHigh);
}

TEST(TokenFileTest, NoModelsAreNotAllModels) {
  const auto file = ParseTokenFile(One(R"(, "models": [])"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_FALSE(Account(file->accounts[0]).MayUse("a"));
}

TEST(TokenFileTest, RefusesWhatIsWrongAndQuotesNothing) {
  const std::string secret = absl::StrCat("\"", kSecret, "\"");
  for (const std::string& text :
       {std::string(),
        std::string("{"),
        secret,
        absl::StrCat("[", secret, "]"),
        absl::StrCat("{", secret, ": 1}"),
        absl::StrCat("{", secret, ": [nul"),
        absl::StrCat(R"({"tokens": [{)", secret, ": {", secret, ": @}}]}"),
        absl::StrCat(R"({"tokens": )", secret, "}"),
        absl::StrCat(R"({"tokens": [)", secret, "]}"),
        absl::StrCat(R"({"tokens": [], )", secret, ": 1}"),
        absl::StrCat(R"({"tokens": [{"name": "n", "sha256": )", secret, "}]}"),
        std::string(R"({"tokens": [{"name": "n"}]})"),
        std::string(R"({"tokens": [{"name": "n", "sha256": []}]})"),
        absl::StrCat(R"({"tokens": [{"name": "n", "sha256": [")", kHash, "\", ",
                     secret, "]}]}"),
        absl::StrCat(R"({"tokens": [{"name": "n", "sha256": ")",
                     std::string(64, 'g'), R"("}]})"),
        absl::StrCat(R"({"tokens": [{"name": "", "sha256": ")", kHash,
                     R"("}]})"),
        absl::StrCat(R"({"tokens": [{"name": "a\n", "sha256": ")", kHash,
                     R"("}]})"),
        absl::StrCat(R"({"tokens": [{"name": 1, "sha256": ")", kHash,
                     R"("}]})"),
        One(absl::StrCat(", ", secret, ": 1")),
        One(absl::StrCat(R"(, "models": )", secret)),
        One(R"(, "models": [1])"),
        One(R"(, "max_priority": "urgent")"),
        One(R"(, "max_priority": 2)"),
        One(R"(, "requests_per_second": 0)"),
        One(R"(, "requests_per_second": -1)"),
        One(R"(, "requests_per_second": NaN)"),
        One(R"(, "requests_per_second": 1e400)"),
        One(R"(, "requests_per_second": "5")"),
        One(R"(, "requests_burst": 5)"),
        One(R"(, "tokens_per_second": 5, "tokens_burst": 0.5)"),
        One(R"(, "tokens_per_second": 5, "tokens_burst": Infinity)"),
        One(R"(, "name": "twice")"),
        absl::StrCat(R"({"tokens": [{"name": "n", "sha256": ")", kHash,
                     R"("}, {"name": "m", "sha256": ")", kHash, R"("}]})"),
        absl::StrCat(R"({"tokens": [{"name": "n", "sha256": ")", kHash,
                     R"("}, {"name": "n", "sha256": ")", kOther, R"("}]})"),
        std::string(kMaxTokenFileBytes + 1, ' '),
        std::string(100000, '[')}) {
    const auto file = ParseTokenFile(text);
    ASSERT_FALSE(file.ok()) << text.substr(0, 200);
    EXPECT_THAT(std::string(file.status().message()), Not(HasSubstr(kSecret)));
    EXPECT_LT(file.status().message().size(), 200u);
  }
}

TEST(TokenFileTest, HashIsSha256) {
  EXPECT_EQ(HashToken("abc")[0], 0xba);
  EXPECT_EQ(HashToken("abc")[31], 0xad);
}

// The last of equal ones is found only by who looks at all of them.
TEST(TokenFileTest, EveryHashIsLookedAt) {
  std::vector<TokenHash> hashes(100);
  for (size_t i = 0; i < hashes.size(); ++i)
    hashes[i] = HashToken(absl::StrCat(i));
  for (size_t i = 0; i < hashes.size(); ++i)
    EXPECT_EQ(FindHash(hashes, hashes[i]), i);
  EXPECT_EQ(FindHash(hashes, HashToken("100")), std::nullopt);
  EXPECT_EQ(FindHash({}, hashes[0]), std::nullopt);
  hashes[99] = hashes[50] = hashes[0];
  EXPECT_EQ(FindHash(hashes, hashes[0]), 99u);
  // One byte that differs, wherever it is.
  for (size_t byte = 0; byte < hashes[1].size(); ++byte) {
    TokenHash near = hashes[1];
    near[byte] ^= 1;
    EXPECT_EQ(FindHash(hashes, near), std::nullopt);
  }
}

}  // namespace
}  // namespace deberta::server
