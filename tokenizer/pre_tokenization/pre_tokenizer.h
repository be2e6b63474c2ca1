// The pre-tokenizers of a tokenizer.json, as the `tokenizers` library runs
// them: normalized text -> the pieces that the model sees one by one.

#ifndef TOKENIZER_PRE_TOKENIZATION_PRE_TOKENIZER_H_
#define TOKENIZER_PRE_TOKENIZATION_PRE_TOKENIZER_H_

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "tokenizer/normalization/normalized_text.h"
#include "tokenizer/pre_tokenization/metaspace.h"
#include "tokenizer/text/regex.h"

namespace deberta::tokenizer {

// Pieces, one after the other; what is between them in the source is left out.
struct PreTokenizedText {
  NormalizedText text;
  std::vector<size_t> ends;  // rising, the last is text.size()
};

// An immutable list of steps, each applied to every piece of the one before.
class PreTokenizer {
 public:
  // What becomes of a delimiter.
  enum class Behavior {
    kRemoved,
    kIsolated,            // a piece of its own
    kMergedWithPrevious,  // its piece goes on in it; not in a second one
    kMergedWithNext,
    kContiguous,  // as kIsolated, a run of them being one piece
  };

  // Characters that are delimiters, each by itself.
  struct Characters {
    bool (*is_delimiter)(char32_t);
    Behavior behavior;
  };
  // Matches are delimiters; with `invert`, what is between them.
  struct Split {
    std::variant<std::string, Regex> pattern;  // a literal text is not empty
    Behavior behavior = Behavior::kIsolated;
    bool invert = false;
  };
  // Words and runs of other characters that are no white space.
  struct Whitespace {};
  // Cut wherever another script begins; what stands before the first character
  // that has one is left out.
  struct UnicodeScripts {};
  struct ByteLevel {
    bool add_prefix_space = true;
    bool use_regex = true;
  };

  using Step = std::variant<Characters, Split, Whitespace, UnicodeScripts,
                            Metaspace, ByteLevel>;

  explicit PreTokenizer(std::vector<Step> steps) : steps_(std::move(steps)) {}

  // Whole, if there are no steps. Linear in the text.
  PreTokenizedText Apply(const NormalizedText& text) const;

  size_t resident_bytes() const;

 private:
  std::vector<Step> steps_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_PRE_TOKENIZATION_PRE_TOKENIZER_H_
