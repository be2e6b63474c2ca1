// The files of a model directory -> a Tokenizer. tokenizer_config.json,
// special_tokens_map.json and added_tokens.json are honoured where the format
// leaves a choice (spec 5.7).

#ifndef TOKENIZER_LOADER_H_
#define TOKENIZER_LOADER_H_

#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/files/profile.h"
#include "tokenizer/files/tokenizer_files.h"
#include "tokenizer/tokenizer.h"

namespace deberta::tokenizer {

struct LoadOptions {
  // Absent: that of the version which saved the directory (profile_choice.h).
  std::optional<Profile> profile = {};
  // See Tokenizer::Options.
  size_t max_working_bytes = std::numeric_limits<size_t>::max();
  // Special tokens that are added after the files' own, in this order, where
  // those have them not.
  std::vector<std::string> special_tokens = {};
};

// Errors of ReadTokenizerFiles() and BuildTokenizer().
absl::StatusOr<std::unique_ptr<const Tokenizer>> LoadTokenizer(
    const std::string& directory, const LoadOptions& options = {});

// InvalidArgument, naming file and field, if a file is malformed.
absl::StatusOr<std::unique_ptr<const Tokenizer>> BuildTokenizer(
    const TokenizerFiles& files, const LoadOptions& options);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_LOADER_H_
