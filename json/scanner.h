// The words of JSON: strings, numbers and what stands between them. Private to
// the JSON library.

#ifndef JSON_SCANNER_H_
#define JSON_SCANNER_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace deberta::json {

// Walks over a text that outlives it. What returns false has left its reason in
// problem(), and stands where it stopped.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  void SkipByteOrderMark();
  void SkipSpace();
  bool AtEnd() const { return at_ == text_.size(); }
  // The byte here; 0 at the end too.
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }
  // REQUIRES: not at the end.
  void Advance() { ++at_; }
  // Whether `word` stood here, and is now behind.
  bool Skip(std::string_view word);

  // REQUIRES: a quote is here. Appends the string, as UTF-8, to `out`.
  bool ReadString(std::string* out);
  // REQUIRES: a digit or a minus is here. Whole numbers that 64 bits hold, and
  // floats.
  bool ReadNumber(nlohmann::json* out);

  // Both return false: the problem is what they are given, or that something
  // else than `expected` is here.
  bool Refuse(std::string_view problem);
  bool Expect(std::string_view expected);
  const std::string& problem() const { return problem_; }
  // "line 3, column 9", counted from 1, in characters.
  std::string Where() const;

 private:
  bool ReadEscape(std::string* out);
  bool ReadCodeUnit(uint32_t* unit);
  bool SkipDigits();

  std::string_view text_;
  size_t at_ = 0;
  std::string problem_;
};

}  // namespace deberta::json

#endif  // JSON_SCANNER_H_
