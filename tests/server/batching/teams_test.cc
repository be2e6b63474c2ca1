#include "server/batching/teams.h"

#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::server {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

TEST(TeamsTest, SmallBatchesUseFewThreads) {
  EXPECT_EQ(MostThreads(0, 64), 1);
  EXPECT_EQ(MostThreads(1, 64), 1);
  EXPECT_EQ(MostThreads(8, 64), 1);
  EXPECT_EQ(MostThreads(9, 64), 2);
  EXPECT_EQ(MostThreads(128, 64), 16);
  EXPECT_EQ(MostThreads(1024, 64), 64);
  EXPECT_EQ(MostThreads(1024, 1), 1);
}

struct ChooseCase {
  std::string name;
  std::vector<Team> teams;
  std::optional<size_t> chosen;
};

class TeamToJoinTest : public ::testing::TestWithParam<ChooseCase> {};

TEST_P(TeamToJoinTest, IsThis) {
  EXPECT_EQ(TeamToJoin(GetParam().teams), GetParam().chosen);
}

INSTANTIATE_TEST_SUITE_P(
    Tables, TeamToJoinTest,
    ::testing::Values(
        ChooseCase{"NothingRuns", {{}, {}}, std::nullopt},
        ChooseCase{"TheOnlyOne", {{}, {1, 2, 64}}, 1},
        ChooseCase{"AllComplete", {{2, 2, 64}, {1, 1, 4}}, std::nullopt},
        ChooseCase{"TheOneWithMoreTokens", {{1, 4, 64}, {1, 4, 65}}, 1},
        ChooseCase{"TheFirstOfEquals", {{1, 4, 64}, {1, 4, 64}}, 0},
        ChooseCase{"TheOneWithMoreForEach", {{3, 8, 300}, {1, 8, 101}}, 1},
        ChooseCase{"NotTheCompleteOne", {{1, 1, 1000}, {1, 2, 16}}, 1}),
    [](const auto& instance) { return instance.param.name; });

// Threads of each batch when `free` threads find batches of these sizes.
std::vector<int> Share(const std::vector<size_t>& batches, int free,
                       int max_threads) {
  std::vector<Team> teams(static_cast<size_t>(free));
  size_t led = 0;
  for (int thread = 0; thread < free; ++thread) {
    if (led < batches.size()) {
      teams[led] = {.threads = 1,
                    .most = MostThreads(batches[led], max_threads),
                    .tokens = batches[led]};
      ++led;
    } else if (const std::optional<size_t> team = TeamToJoin(teams)) {
      ++teams[*team].threads;
    }
  }
  std::vector<int> threads;
  for (size_t b = 0; b < led; ++b) threads.push_back(teams[b].threads);
  return threads;
}

TEST(TeamsTest, ThreadsAreSharedAmongTheBatches) {
  EXPECT_THAT(Share({1024}, 8, 8), ElementsAre(8));
  EXPECT_THAT(Share({1024, 1024}, 8, 8), ElementsAre(4, 4));
  EXPECT_THAT(Share({1024, 1024, 1024}, 8, 8), ElementsAre(3, 3, 2));
  EXPECT_THAT(Share(std::vector<size_t>(8, 1024), 8, 8), Each(1));
  EXPECT_THAT(Share(std::vector<size_t>(99, 1024), 8, 8),
              ElementsAreArray(std::vector<int>(8, 1)));
  EXPECT_THAT(Share({16, 1024}, 8, 8), ElementsAre(1, 7));
  EXPECT_THAT(Share({1024, 1024}, 8, 3), ElementsAre(3, 3));
}

TEST(TeamsTest, EqualBatchesGetEqualShares) {
  std::mt19937 random(1);
  for (int i = 0; i < 1000; ++i) {
    const int free = 1 + static_cast<int>(random() % 64);
    const size_t batches = 1 + random() % 80;
    const size_t tokens = 1 + random() % 2000;
    const std::vector<int> threads =
        Share(std::vector<size_t>(batches, tokens), free, 64);
    const auto [least, most] = std::ranges::minmax(threads);
    EXPECT_LE(most - least, 1);
    EXPECT_LE(most, MostThreads(tokens, 64));
    const int led = static_cast<int>(threads.size());
    EXPECT_EQ(led, std::min(free, static_cast<int>(batches)));
    EXPECT_EQ(std::accumulate(threads.begin(), threads.end(), 0),
              std::min(free, led * MostThreads(tokens, 64)));
  }
}

}  // namespace
}  // namespace deberta::server
