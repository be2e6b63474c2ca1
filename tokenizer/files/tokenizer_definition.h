// What the files of a model define of its tokenizer, whichever format they
// have.

#ifndef TOKENIZER_FILES_TOKENIZER_DEFINITION_H_
#define TOKENIZER_FILES_TOKENIZER_DEFINITION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "tokenizer/encoding/encoding.h"
#include "tokenizer/encoding/post_processor.h"
#include "tokenizer/segmentation/segmenter.h"
#include "tokenizer/special_tokens/added_token.h"

namespace deberta::tokenizer {

// An added token before it has an id.
struct DeclaredToken {
  AddedToken token;
  // The id that the file gives; ids follow from the order, so it is a check.
  std::optional<int32_t> declared_id;
};

struct TokenizerDefinition {
  std::unique_ptr<const Segmenter> segmenter;
  // Entries of the model's vocabulary: an added token that is none of them gets
  // this id or a larger one.
  int32_t vocabulary_entries = 0;
  bool byte_level = false;  // v1
  std::vector<DeclaredToken> added_tokens;
  // Absent where the files have none (all but tokenizer.json), or none that
  // counts.
  std::optional<PostProcessor> post_processor;
  // Without a post-processor: DeBERTa's template, of the tokens that are named
  // cls and sep, whatever the profile.
  bool names_template = false;
  // Of the blocks "truncation" and "padding".
  std::optional<Side> truncation_side;
  std::optional<Side> padding_side;
};

// `status` with the name of the file in front of its message.
absl::Status InFile(std::string_view file, const absl::Status& status);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_TOKENIZER_DEFINITION_H_
