// The texts of --help: of the program, by command, and of each command alone.

#ifndef TOOLS_CLIENT_HELP_H_
#define TOOLS_CLIENT_HELP_H_

#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace deberta::tools {

struct CommandUsage {
  absl::string_view name;
  absl::string_view line;  // what is typed after the program's name
};

struct FlagUsage {
  std::string name;
  // "COMMAND, COMMAND: words; COMMAND: words" for those commands alone, else of
  // every command.
  std::string help;
  std::string default_value;
  std::string value = {};
};

// Of all commands, or of `command` alone.
std::string HelpText(std::span<const CommandUsage> commands,
                     const std::vector<FlagUsage>& flags,
                     absl::string_view command = "");

// Whether an argument before "--", behind which all is text, is -h or --help.
bool AsksForHelp(std::span<char* const> arguments);

// The first of the commands that is an argument, or "".
absl::string_view CommandNamed(std::span<const CommandUsage> commands,
                               std::span<char* const> arguments);

// The names of the commands, each once, in their order.
std::vector<absl::string_view> CommandNames(
    std::span<const CommandUsage> commands);

// What is wrong with the first flag that has a value other than its default and
// belongs to other commands than `command`; "" if there is none.
std::string ForeignFlag(std::span<const CommandUsage> commands,
                        const std::vector<FlagUsage>& flags,
                        absl::string_view command);

// The flags of the source file whose path ends in `file`, by name.
std::vector<FlagUsage> FlagsOf(absl::string_view file);

}  // namespace deberta::tools

#endif  // TOOLS_CLIENT_HELP_H_
