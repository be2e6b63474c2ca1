#include "tools/client/help.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>

namespace deberta::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr CommandUsage kCommands[] = {
    {"tag", "tag [TEXT...]"},
    {"rank", "rank --query=QUERY [DOCUMENT...]"},
    {"rank", "rank --again"},
    {"models", "models"},
};

std::vector<FlagUsage> Flags() {
  return {{"all", "of each: all commands", "7"},
          {"both", "tag, rank: of two", "false"},
          {"parts", "tag: one; 0: none; rank by hand: other", "0"}};
}

TEST(HelpTest, GroupsFlagsByCommand) {
  EXPECT_EQ(HelpText(kCommands, Flags()),
            "Asks a DeBERTa server.\n\n"
            "  deberta-client tag [TEXT...]\n"
            "  deberta-client rank --query=QUERY [DOCUMENT...]\n"
            "  deberta-client rank --again\n"
            "  deberta-client models\n"
            "\nWithout arguments each line of stdin is an input. The exit code "
            "is 0 only\nif every input got an answer.\n"
            "\ntag:\n"
            "  --both\n      of two\n"
            "  --parts\n      one; 0: none\n"
            "\nrank:\n"
            "  --both\n      of two\n"
            "  --parts\n      rank by hand: other\n"
            "\nEvery command:\n"
            "  --all (default 7)\n      of each: all commands\n"
            "  -h, --help\n      This text, after a command that of the "
            "command.\n");
}

TEST(HelpTest, ShowsOneCommandAlone) {
  const std::string help = HelpText(kCommands, Flags(), "rank");
  EXPECT_THAT(help, HasSubstr("rank --again"));
  EXPECT_THAT(help, HasSubstr("rank by hand: other"));
  EXPECT_THAT(help, HasSubstr("--all"));
  EXPECT_THAT(help, Not(HasSubstr("tag")));
  EXPECT_THAT(help, Not(HasSubstr("none")));
}

TEST(HelpTest, ForeignFlagIsOneThatIsSetAndBelongsToOthers) {
  std::vector<FlagUsage> flags = Flags();
  for (FlagUsage& flag : flags) flag.value = flag.default_value;
  EXPECT_EQ(ForeignFlag(kCommands, flags, "models"), "");
  flags[0].value = "8";
  EXPECT_EQ(ForeignFlag(kCommands, flags, "models"), "");
  flags[2].value = "1";
  EXPECT_EQ(ForeignFlag(kCommands, flags, "tag"), "");
  EXPECT_EQ(ForeignFlag(kCommands, flags, "rank"), "");
  EXPECT_EQ(ForeignFlag(kCommands, flags, "models"),
            "--parts is not a flag of models but of tag, rank");
}

TEST(HelpTest, NamesEachCommandOnce) {
  EXPECT_THAT(CommandNames(kCommands), ElementsAre("tag", "rank", "models"));
}

TEST(HelpTest, IsAskedForBeforeTheTexts) {
  std::string words[] = {"rank", "--help", "--", "-h"};
  char* const arguments[] = {words[0].data(), words[1].data(), words[2].data(),
                             words[3].data()};
  const std::span<char* const> all(arguments);
  EXPECT_TRUE(AsksForHelp(all));
  EXPECT_TRUE(AsksForHelp(all.subspan(3)));
  EXPECT_FALSE(AsksForHelp(all.subspan(2)));
  EXPECT_EQ(CommandNamed(kCommands, all), "rank");
  EXPECT_EQ(CommandNamed(kCommands, all.subspan(1)), "");
}

}  // namespace
}  // namespace deberta::tools
