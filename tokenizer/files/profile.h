// Which reference a tokenizer equals. They differ on the same files (spec 5.3).

#ifndef TOKENIZER_FILES_PROFILE_H_
#define TOKENIZER_FILES_PROFILE_H_

#include <optional>
#include <string_view>

#include "absl/status/statusor.h"

namespace deberta::tokenizer {

enum class Profile {
  kHf4,  // the fast tokenizers of transformers 4.57
  kHf5,  // transformers 5
  kSpm,  // the SentencePiece library, as 4.57's slow tokenizer drives it
};

// "hf4", "hf5" or "spm".
std::string_view ProfileName(Profile profile);

// InvalidArgument, with the names known, for any other.
absl::StatusOr<Profile> ParseProfile(std::string_view name);

// The same, and "auto": absent, for the profile that ChooseProfile() finds.
absl::StatusOr<std::optional<Profile>> ParseProfileOrAuto(
    std::string_view name);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_PROFILE_H_
