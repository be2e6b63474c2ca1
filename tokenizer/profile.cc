#include "tokenizer/profile.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/excerpt.h"

namespace deberta::tokenizer {

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
  for (const Profile profile : {Profile::kHf4, Profile::kHf5, Profile::kSpm}) {
    if (name == ProfileName(profile)) return profile;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "tokenizer profile: expected \"hf4\", \"hf5\" or \"spm\", got \"",
      Excerpt(name), "\""));
}

}  // namespace deberta::tokenizer
