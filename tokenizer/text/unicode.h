// UTF-8 and the Unicode properties that the tokenizers need.
//
// The property tests agree with the reference's own tables (the Oniguruma of
// tokenizers 0.22 for \s, \p{L} and \p{N}; its frozen tables for punctuation)
// on every code point, whatever version of Unicode the distribution's utf8proc
// has.

#ifndef TOKENIZER_TEXT_UNICODE_H_
#define TOKENIZER_TEXT_UNICODE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace deberta::tokenizer {

// Offset of the first byte that is not part of well-formed UTF-8 (RFC 3629: no
// surrogates, no overlong forms, nothing above U+10FFFF); nullopt if all is.
std::optional<size_t> FindInvalidUtf8(std::string_view text);

// Bytes of the character whose first byte is `lead`.
// REQUIRES: `lead` starts a well-formed character.
inline size_t Utf8Length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80) return 1;
  if (byte < 0xE0) return 2;
  return byte < 0xF0 ? 3 : 4;
}

// True for the second and later bytes of a character.
inline bool IsUtf8Continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// The code point at `*position`, which is moved behind it.
// REQUIRES: `text` is well-formed and *position is a character boundary before
// its end.
inline char32_t DecodeUtf8(std::string_view text, size_t* position) {
  const auto byte = [&](size_t i) {
    return static_cast<char32_t>(
        static_cast<unsigned char>(text[*position + i]));
  };
  const char32_t lead = byte(0);
  if (lead < 0x80) {
    *position += 1;
    return lead;
  }
  const auto tail = [&](size_t i) { return byte(i) & 0x3F; };
  char32_t code_point;
  if (lead < 0xE0) {
    code_point = (lead & 0x1F) << 6 | tail(1);
    *position += 2;
  } else if (lead < 0xF0) {
    code_point = (lead & 0x0F) << 12 | tail(1) << 6 | tail(2);
    *position += 3;
  } else {
    code_point = (lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3);
    *position += 4;
  }
  return code_point;
}

// The code point that ends just before `*position`, which is moved to its
// start. REQUIRES: as DecodeUtf8, and *position > 0.
inline char32_t DecodeUtf8Before(std::string_view text, size_t* position) {
  do {
    --*position;
  } while (IsUtf8Continuation(text[*position]));
  size_t start = *position;
  return DecodeUtf8(text, &start);
}

// REQUIRES: `code_point` is a Unicode scalar value.
void AppendUtf8(char32_t code_point, std::string* out);

// Number of characters in well-formed UTF-8.
size_t CountCodePoints(std::string_view text);

// `text` with every ill-formed part replaced by U+FFFD: one for each maximal
// prefix of a well-formed character (Unicode 15, section 3.9, as Rust and
// Python do).
std::string ReplaceInvalidUtf8(std::string_view text);

// Property White_Space (U+0085, U+00A0, U+3000, ... included).
bool IsWhiteSpace(char32_t code_point);
// General category L* (\p{L}).
bool IsLetter(char32_t code_point);
// General category N* (\p{N}).
bool IsNumber(char32_t code_point);
// The \w of Unicode TR 18: alphabetic, marks, decimal digits, connector
// punctuation, join controls.
bool IsWordCharacter(char32_t code_point);
// General category Nd.
bool IsDecimalDigit(char32_t code_point);
// General category N* as of Unicode 17, which Rust's char::is_numeric has.
bool IsNewestNumber(char32_t code_point);
// The \w of Oniguruma: without the join controls, but with some of Latin-1's
// fractions and raised digits.
bool IsRegexWord(char32_t code_point);
// The \w within one of its classes, as in [^\w\s]: without these too.
bool IsRegexClassWord(char32_t code_point);
// ASCII punctuation and symbols, and category P* beyond ASCII as of Unicode
// 8, where the reference's table ends.
bool IsPunctuation(char32_t code_point);
// The same with category P* of Unicode 16.
bool IsNewestPunctuation(char32_t code_point);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_UNICODE_H_
