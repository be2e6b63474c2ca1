// Regular expressions of tokenizer files, which are written for Oniguruma in
// its Ruby syntax, run by RE2 in linear time.
//
// What both understand alike is passed on; classes are spelled out as the
// ranges that Oniguruma means (Unicode 16). Everything else is refused by name:
// look-around (but for the end of split_pattern.h), back references, possessive
// and atomic groups, \b, options.

#ifndef TOKENIZER_TEXT_REGEX_H_
#define TOKENIZER_TEXT_REGEX_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace re2 {
class RE2;
}

namespace deberta::tokenizer {

// Immutable; copies share the program.
class Regex {
 public:
  struct Match {
    size_t begin = 0;  // bytes, half-open; never empty
    size_t end = 0;
  };

  // InvalidArgument, naming what it is, for a construct that is not understood,
  // and for a pattern that matches the empty text or takes too much memory.
  static absl::StatusOr<Regex> Compile(std::string_view pattern);

  // The leftmost match at `from` or after it, of several there the one that
  // backtracking finds first. REQUIRES: `text` is UTF-8, and `from` a
  // character's boundary in it.
  std::optional<Match> Find(std::string_view text, size_t from) const;

  size_t resident_bytes() const;

 private:
  Regex() = default;
  Match WithoutSpaceBeforeWord(std::string_view text, Match match) const;

  std::shared_ptr<const re2::RE2> program_;
  bool ends_in_look_ahead_ = false;  // split_pattern.h
  std::shared_ptr<const re2::RE2> before_look_ahead_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_REGEX_H_
