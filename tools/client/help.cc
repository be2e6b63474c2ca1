#include "tools/client/help.h"

#include <algorithm>
#include <map>

#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace deberta::tools {
namespace {

using Commands = std::span<const CommandUsage>;

bool IsCommand(Commands commands, absl::string_view name) {
  return std::ranges::any_of(
      commands, [&](const CommandUsage& c) { return c.name == name; });
}

// Words of a flag's help about some commands, or about all where `names` is
// empty.
struct Part {
  std::vector<std::string> names;
  std::string words;
};

// "COMMAND, COMMAND of a kind: words": the names are those of commands, and
// where there is more than names all of it belongs to the words.
Part PartOf(Commands commands, absl::string_view text) {
  Part part = {{}, std::string(text)};
  const size_t colon = text.find(": ");
  if (colon == text.npos) return part;
  bool names_alone = true;
  for (const absl::string_view named :
       absl::StrSplit(text.substr(0, colon), ", ")) {
    const absl::string_view name = named.substr(0, named.find(' '));
    if (IsCommand(commands, name)) part.names.emplace_back(name);
    names_alone = names_alone && IsCommand(commands, named);
  }
  if (names_alone) part.words = std::string(text.substr(colon + 2));
  return part;
}

std::vector<Part> PartsOf(Commands commands, absl::string_view help) {
  std::vector<Part> parts;
  for (const absl::string_view text : absl::StrSplit(help, "; ")) {
    Part part = PartOf(commands, text);
    if (parts.empty() || !part.names.empty()) {
      parts.push_back(std::move(part));
    } else {
      absl::StrAppend(&parts.back().words, "; ", text);
    }
  }
  return parts;
}

std::string Entry(const FlagUsage& flag, const Part& part) {
  const bool shown = !flag.default_value.empty() &&
                     flag.default_value != "false" && flag.default_value != "0";
  return absl::StrCat(
      "  --", flag.name,
      shown ? absl::StrCat(" (default ", flag.default_value, ")") : "",
      "\n      ", part.words, "\n");
}

}  // namespace

std::string HelpText(Commands commands, const std::vector<FlagUsage>& flags,
                     absl::string_view command) {
  std::string usage, of_all;
  std::map<std::string, std::string> of_one;
  for (const FlagUsage& flag : flags) {
    for (const Part& part : PartsOf(commands, flag.help)) {
      const std::string entry = Entry(flag, part);
      if (part.names.empty()) of_all += entry;
      for (const std::string& name : part.names) of_one[name] += entry;
    }
  }
  std::string own;
  absl::string_view last;
  for (const CommandUsage& c : commands) {
    if (!command.empty() && c.name != command) continue;
    absl::StrAppend(&usage, "  deberta-client ", c.line, "\n");
    if (c.name == last || !of_one.contains(std::string(c.name))) continue;
    last = c.name;
    absl::StrAppend(&own, "\n", c.name, ":\n", of_one[std::string(c.name)]);
  }
  return absl::StrCat(
      "Asks a DeBERTa server.\n\n", usage,
      "\nWithout arguments each line of stdin is an input. The exit code is 0 "
      "only\nif every input got an answer.\n",
      own, "\nEvery command:\n", of_all,
      "  -h, --help\n      This text, after a command that of the command.\n");
}

bool AsksForHelp(std::span<char* const> arguments) {
  const auto end = std::ranges::find(arguments, absl::string_view("--"));
  return std::any_of(arguments.begin(), end, [](absl::string_view argument) {
    return argument == "-h" || argument == "-help" || argument == "--help";
  });
}

absl::string_view CommandNamed(Commands commands,
                               std::span<char* const> arguments) {
  for (const absl::string_view argument : arguments) {
    if (IsCommand(commands, argument)) return argument;
  }
  return "";
}

std::vector<absl::string_view> CommandNames(Commands commands) {
  std::vector<absl::string_view> names;
  for (const CommandUsage& command : commands) {
    if (names.empty() || names.back() != command.name)
      names.push_back(command.name);
  }
  return names;
}

std::string ForeignFlag(Commands commands, const std::vector<FlagUsage>& flags,
                        absl::string_view command) {
  for (const FlagUsage& flag : flags) {
    if (flag.value == flag.default_value) continue;
    std::vector<std::string> owners;
    bool fits = false;
    for (const Part& part : PartsOf(commands, flag.help)) {
      fits = fits || part.names.empty() ||
             std::ranges::find(part.names, command) != part.names.end();
      owners.insert(owners.end(), part.names.begin(), part.names.end());
    }
    if (fits) continue;
    return absl::StrCat("--", flag.name, " is not a flag of ", command,
                        " but of ", absl::StrJoin(owners, ", "));
  }
  return "";
}

std::vector<FlagUsage> FlagsOf(absl::string_view file) {
  std::map<std::string, FlagUsage> by_name;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (!absl::EndsWith(flag->Filename(), file)) continue;
    by_name[std::string(name)] = {std::string(name), flag->Help(),
                                  flag->DefaultValue(), flag->CurrentValue()};
  }
  std::vector<FlagUsage> flags;
  for (auto& [name, flag] : by_name) flags.push_back(std::move(flag));
  return flags;
}

}  // namespace deberta::tools
