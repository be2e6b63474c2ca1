#include "server/models/repository_state.h"

#include <optional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A directory whose only file has so many bytes.
DirectoryStamp Stamp(uint64_t bytes) {
  return {{.name = "weights", .bytes = bytes}};
}

RepositoryListing Listing(std::map<std::string, VersionStamps> models) {
  return {.models = std::move(models), .unusable = {}};
}

// "model/version:bytes", or "" if there is nothing to load.
std::string Next(const RepositoryState& state) {
  const std::optional<ModelVersion> next = state.Next();
  if (!next.has_value()) return "";
  return next->model + "/" + std::to_string(next->version) + ":" +
         std::to_string(next->stamp.front().bytes);
}

void Load(RepositoryState& state) { state.Loaded(*state.Next()); }
void Fail(RepositoryState& state) { state.Failed(*state.Next()); }

TEST(RepositoryStateTest, WhatIsSeenTwiceAlikeIsLoaded) {
  RepositoryState state;
  state.Look(Listing({{"m", {{0, Stamp(5)}}}}), false);
  EXPECT_EQ(Next(state), "");
  state.Look(Listing({{"m", {{0, Stamp(7)}}}}), false);
  EXPECT_EQ(Next(state), "") << "it grows: it is being copied";
  state.Look(Listing({{"m", {{0, Stamp(7)}}}}), false);
  EXPECT_EQ(Next(state), "m/0:7");
  Load(state);
  EXPECT_EQ(Next(state), "");
  state.Look(Listing({{"m", {{0, Stamp(7)}}}}), false);
  EXPECT_EQ(Next(state), "");
}

TEST(RepositoryStateTest, ASettledLookAsksForNoSecond) {
  RepositoryState state;
  state.Look(Listing({{"m", {{0, Stamp(5)}}}}), true);
  EXPECT_EQ(Next(state), "m/0:5");
  Load(state);
  state.Look(Listing({}), true);
  EXPECT_THAT(state.Gone(), ElementsAre("m"));
}

TEST(RepositoryStateTest, ChangedFilesAreLoadedAgain) {
  RepositoryState state;
  state.Look(Listing({{"m", {{0, Stamp(5)}}}}), true);
  Load(state);
  state.Look(Listing({{"m", {{0, Stamp(6)}}}}), false);
  EXPECT_EQ(Next(state), "");
  state.Look(Listing({{"m", {{0, Stamp(6)}}}}), false);
  EXPECT_EQ(Next(state), "m/0:6");
}

TEST(RepositoryStateTest, WhatFailedWaitsForAnotherOrForASettledLook) {
  RepositoryState state;
  state.Look(Listing({{"m", {{0, Stamp(5)}}}}), true);
  Load(state);
  state.Look(Listing({{"m", {{0, Stamp(6)}}}}), true);
  Fail(state);
  EXPECT_EQ(Next(state), "");
  state.Look(Listing({{"m", {{0, Stamp(6)}}}}), false);
  EXPECT_EQ(Next(state), "") << "is not tried at every look";
  state.Look(Listing({{"m", {{0, Stamp(6)}}}}), true);
  EXPECT_EQ(Next(state), "m/0:6") << "but when somebody asks";
  Fail(state);
  state.Look(Listing({{"m", {{0, Stamp(8)}}}}), false);
  state.Look(Listing({{"m", {{0, Stamp(8)}}}}), false);
  EXPECT_EQ(Next(state), "m/0:8");
  // Put back as it is served.
  state.Look(Listing({{"m", {{0, Stamp(5)}}}}), true);
  EXPECT_EQ(Next(state), "");
}

TEST(RepositoryStateTest, AModelIsGoneWhenTwoLooksMissIt) {
  RepositoryState state;
  state.Look(Listing({{"m", {{0, Stamp(5)}}}, {"n", {{0, Stamp(5)}}}}), true);
  Load(state);
  Load(state);
  // Between two renames, say.
  state.Look(Listing({{"n", {{0, Stamp(5)}}}}), false);
  EXPECT_THAT(state.Gone(), IsEmpty());
  state.Look(Listing({{"m", {{0, Stamp(5)}}}, {"n", {{0, Stamp(5)}}}}), false);
  EXPECT_THAT(state.Gone(), IsEmpty());
  state.Look(Listing({{"n", {{0, Stamp(5)}}}}), false);
  EXPECT_THAT(state.Gone(), IsEmpty());
  state.Look(Listing({{"n", {{0, Stamp(5)}}}}), false);
  EXPECT_THAT(state.Gone(), ElementsAre("m"));
  state.Removed("m");
  EXPECT_THAT(state.Gone(), IsEmpty());
  state.Look(Listing({{"m", {{0, Stamp(5)}}}, {"n", {{0, Stamp(5)}}}}), true);
  EXPECT_EQ(Next(state), "m/0:5") << "it may come again";
}

TEST(RepositoryStateTest, TheHighestVersionThatLoadsIsServed) {
  RepositoryState state;
  const VersionStamps versions = {{1, Stamp(1)}, {2, Stamp(2)}, {10, Stamp(3)}};
  state.Look(Listing({{"m", versions}}), true);
  EXPECT_EQ(Next(state), "m/10:3");
  Fail(state);
  EXPECT_EQ(Next(state), "m/2:2");
  Load(state);
  EXPECT_EQ(Next(state), "");
  // A change of one that is not served does not matter, a higher one does.
  state.Look(Listing({{"m", {{1, Stamp(9)}, {2, Stamp(2)}}}}), true);
  EXPECT_EQ(Next(state), "");
  state.Look(Listing({{"m", {{1, Stamp(9)}, {2, Stamp(2)}, {3, Stamp(4)}}}}),
             true);
  EXPECT_EQ(Next(state), "m/3:4");
  Load(state);
  // Taking it away brings the one below back.
  state.Look(Listing({{"m", {{1, Stamp(9)}, {2, Stamp(2)}}}}), true);
  EXPECT_EQ(Next(state), "m/2:2");
  Fail(state);
  EXPECT_EQ(Next(state), "m/1:9");
  Fail(state);
  EXPECT_EQ(Next(state), "") << "what is served stays";
  EXPECT_THAT(state.Gone(), IsEmpty());
}

TEST(RepositoryStateTest, AVersionThatIsBeingCopiedHoldsNoOtherUp) {
  RepositoryState state;
  state.Look(Listing({{"m", {{1, Stamp(1)}, {2, Stamp(1)}}}}), false);
  state.Look(Listing({{"m", {{1, Stamp(1)}, {2, Stamp(2)}}}}), false);
  EXPECT_EQ(Next(state), "m/1:1");
}

}  // namespace
}  // namespace deberta::server
