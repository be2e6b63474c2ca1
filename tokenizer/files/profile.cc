#include "tokenizer/files/profile.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/text/excerpt.h"

namespace deberta::tokenizer {
namespace {

std::optional<Profile> FindProfile(std::string_view name) {
  for (const Profile profile : {Profile::kHf4, Profile::kHf5, Profile::kSpm}) {
    if (name == ProfileName(profile)) return profile;
  }
  return std::nullopt;
}

absl::Status Unknown(std::string_view name, const char* expected) {
  return absl::InvalidArgumentError(absl::StrCat("tokenizer profile: expected ",
                                                 expected, ", got \"",
                                                 Excerpt(name), "\""));
}

}  // namespace

std::string_view ProfileName(Profile profile) {
  switch (profile) {
    case Profile::kHf4:
      return "hf4";
    case Profile::kHf5:
      return "hf5";
    case Profile::kSpm:
      break;
  }
  return "spm";
}

absl::StatusOr<Profile> ParseProfile(std::string_view name) {
  if (const std::optional<Profile> profile = FindProfile(name)) return *profile;
  return Unknown(name, "\"hf4\", \"hf5\" or \"spm\"");
}

absl::StatusOr<std::optional<Profile>> ParseProfileOrAuto(
    std::string_view name) {
  const std::optional<Profile> profile = FindProfile(name);
  if (profile.has_value() || name == "auto") return profile;
  return Unknown(name, "\"auto\", \"hf4\", \"hf5\" or \"spm\"");
}

}  // namespace deberta::tokenizer
