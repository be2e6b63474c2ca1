#include "server/flags/set_flags.h"

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "absl/flags/reflection.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/flags/flags.h"

namespace deberta::server {
namespace {

std::string EnvironmentName(const absl::CommandLineFlag& flag) {
  return absl::StrCat("DEBERTA_", absl::AsciiStrToUpper(flag.Name()));
}

absl::Status SetFromEnvironment(const absl::CommandLineFlag& flag) {
  const std::string name = EnvironmentName(flag);
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return absl::OkStatus();
  std::string error;
  if (absl::FindCommandLineFlag(flag.Name())->ParseFrom(value, &error)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("environment variable ", name, ": ", error));
}

absl::Status SetFromEnvironment() {
  for (const FlagGroup& group : FlagGroups()) {
    for (const absl::CommandLineFlag* flag : group.flags) {
      if (absl::Status s = SetFromEnvironment(*flag); !s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

// The flag of that name; null if there is none.
absl::CommandLineFlag* FindFlag(std::string_view name) {
  for (const FlagGroup& group : FlagGroups()) {
    for (const absl::CommandLineFlag* flag : group.flags) {
      if (flag->Name() == absl::string_view(name.data(), name.size()))
        return absl::FindCommandLineFlag(flag->Name());
    }
  }
  return nullptr;
}

// Sets the flag of argument `i`, and moves `i` on if its value is the next.
// Unlike Abseil's parser it ends nothing and prints nothing.
absl::Status SetFromArgument(int argc, char** argv, int* i) {
  const std::string_view argument = argv[*i];
  if (argument.size() < 2 || argument[0] != '-') {
    return absl::InvalidArgumentError(
        absl::StrCat("unexpected argument \"", argv[*i],
                     "\"; flags are written --name=value"));
  }
  std::string_view name = argument.substr(argument[1] == '-' ? 2 : 1);
  const size_t equals = name.find('=');
  std::optional<std::string> value;
  if (equals != std::string_view::npos) {
    value = name.substr(equals + 1);
    name = name.substr(0, equals);
  }
  absl::CommandLineFlag* flag = FindFlag(name);
  if (flag == nullptr && !value.has_value() && name.starts_with("no")) {
    flag = FindFlag(name.substr(2));
    if (flag != nullptr && !flag->IsOfType<bool>()) flag = nullptr;
    if (flag != nullptr) value = "false";
  }
  const std::string shown(name);
  if (flag == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown flag --", shown, "; see --help"));
  }
  if (!value.has_value() && flag->IsOfType<bool>()) value = "true";
  if (!value.has_value() && *i + 1 < argc) value = argv[++*i];
  if (!value.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", shown, ": expected a value, got none"));
  }
  std::string error;
  if (flag->ParseFrom(*value, &error)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--", shown, ": ", error));
}

}  // namespace

absl::Status SetFlags(int argc, char** argv) {
  if (absl::Status s = SetFromEnvironment(); !s.ok()) return s;
  for (int i = 1; i < argc; ++i) {
    if (absl::Status s = SetFromArgument(argc, argv, &i); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace deberta::server
