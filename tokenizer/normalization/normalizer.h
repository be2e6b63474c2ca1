// The normalisers that tokenizer files name, with the alignments that
// the `tokenizers` library gives them (spec 5.3, profiles hf4 and hf5).

#ifndef TOKENIZER_NORMALIZATION_NORMALIZER_H_
#define TOKENIZER_NORMALIZATION_NORMALIZER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/normalization/aligned_text.h"
#include "tokenizer/normalization/bert_normalizer.h"
#include "tokenizer/normalization/charsmap.h"
#include "tokenizer/normalization/normalization_form.h"
#include "tokenizer/normalization/normalized_text.h"
#include "tokenizer/text/regex.h"

namespace deberta::tokenizer {

// An immutable list of steps, applied in order.
class Normalizer {
 public:
  // Each code point by itself: a final capital sigma becomes a plain small one.
  struct Lowercase {};

  // Removes Unicode White_Space at the ends.
  struct Strip {
    bool left = true;
    bool right = true;
  };

  // SentencePiece's character map, applied as spec 5.3 says: per grapheme
  // cluster.
  struct Precompiled {
    std::string charsmap;  // raw bytes, not base64
  };

  // Every match of `pattern`, leftmost first, becomes `content`.
  struct Replace {
    std::string pattern;
    bool regex = false;  // as regex.h takes them
    std::string content;
  };

  // Puts `content` before a text that is not empty.
  struct Prepend {
    std::string content;
  };

  // Removes marks.
  struct StripAccents {};

  // See bert_normalizer.h.
  struct Nmt {};
  struct PythonBert {};

  using Step = std::variant<Lowercase, Strip, Precompiled, Replace, Prepend,
                            StripAccents, Nmt, PythonBert, NormalizationForm,
                            BertNormalizer>;

  // InvalidArgument if a character map is malformed or a pattern is empty or
  // not understood.
  static absl::StatusOr<Normalizer> Create(std::vector<Step> steps);

  // No steps: the text stays as it is.
  Normalizer() = default;

  // REQUIRES: `stretch` is valid UTF-8. `first_code_point` is its position in
  // the original text.
  NormalizedText Normalize(std::string_view stretch,
                           uint32_t first_code_point) const;

  size_t resident_bytes() const;

 private:
  // A regular expression, unless it is one of the two that transformers
  // writes: runs of spaces " {2,}" (4.57) and of white space
  // "\s{2,}|[\n\r\t]" (5).
  enum class Pattern { kLiteral, kSpaces, kWhiteSpace, kRegex };

  struct CodePointReplace {
    Pattern kind = Pattern::kLiteral;
    std::u32string literal;
    std::optional<Regex> regex;
    std::u32string content;
  };
  struct CodePointPrepend {
    std::u32string content;
  };
  using Action = std::variant<Lowercase, Strip, Charsmap, CodePointReplace,
                              CodePointPrepend, StripAccents, Nmt, PythonBert,
                              NormalizationForm, BertNormalizer>;

  static absl::StatusOr<Action> Compile(Step step);
  static absl::StatusOr<CodePointReplace> Compile(const Replace& replace);
  static void Apply(const CodePointReplace& replace, AlignedText* text);
  static void Apply(const Action& action, AlignedText* text);

  std::vector<Action> actions_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_NORMALIZATION_NORMALIZER_H_
