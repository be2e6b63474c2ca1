#include "server/flags/help.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/flags/flags.h"

namespace deberta::server {
namespace {

constexpr char kUsage[] =
    "deberta-server: serves DeBERTa models over gRPC.\n\n"
    "Usage: deberta-server --models=[name=]DIR[,...] [flags]\n\n"
    "Each flag may also be set in the environment as DEBERTA_<NAME>; the flag "
    "wins.\n";

std::string Entry(const absl::CommandLineFlag& flag) {
  const std::string value = flag.DefaultValue();
  return absl::StrCat(
      "  --", flag.Name(),
      value.empty() ? "" : absl::StrCat(" (default ", value, ")"), "\n      ",
      absl::StrReplaceAll(flag.Help(), {{"\n", "\n      "}}), "\n");
}

}  // namespace

std::string HelpText() {
  std::string text = kUsage;
  for (const FlagGroup& group : FlagGroups()) {
    absl::StrAppend(&text, "\n", group.title, ":\n");
    for (const absl::CommandLineFlag* flag : group.flags) {
      absl::StrAppend(&text, Entry(*flag));
    }
  }
  absl::StrAppend(&text,
                  "\n  --help\n      This text.\n"
                  "  --version\n      The program's version.\n");
  return text;
}

}  // namespace deberta::server
