#include "tokenizer/text/unicode.h"

#include <utf8proc.h>

#include <cstring>

#include "tokenizer/text/code_point_ranges.h"

namespace deberta::tokenizer {
namespace {

// What utf8proc 2.8 (Unicode 15.0) lacks of the reference's Unicode 16.0.
constexpr CodePointRange kLetters16[] = {
    {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},
    {0x105C0, 0x105F3}, {0x10D4A, 0x10D65}, {0x10D6F, 0x10D85},
    {0x10EC2, 0x10EC4}, {0x11380, 0x11389}, {0x1138B, 0x1138B},
    {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7},
    {0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0},
    {0x13460, 0x143FA}, {0x16100, 0x1611D}, {0x16D40, 0x16D6C},
    {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED}, {0x1E5F0, 0x1E5F0},
    {0x2EBF0, 0x2EE5D}};
constexpr CodePointRange kNumbers16[] = {{0x10D40, 0x10D49}, {0x116D0, 0x116E3},
                                         {0x11BF0, 0x11BF9}, {0x16130, 0x16139},
                                         {0x16D70, 0x16D79}, {0x1CCF0, 0x1CCF9},
                                         {0x1E5F1, 0x1E5FA}};
// Word characters that are neither letters nor numbers and either alphabetic
// symbols (circled letters) or newer than Unicode 15.0.
constexpr CodePointRange kOtherWordCharacters[] = {
    {0x0897, 0x0897},   {0x24B6, 0x24E9},   {0x10D69, 0x10D6D},
    {0x10EFC, 0x10EFC}, {0x113B8, 0x113C0}, {0x113C2, 0x113C2},
    {0x113C5, 0x113C5}, {0x113C7, 0x113CA}, {0x113CC, 0x113D0},
    {0x113D2, 0x113D2}, {0x113E1, 0x113E2}, {0x11F5A, 0x11F5A},
    {0x1611E, 0x1612F}, {0x1E5EE, 0x1E5EF}, {0x1F130, 0x1F149},
    {0x1F150, 0x1F169}, {0x1F170, 0x1F189}};
// Category P* in Unicode 16.0 but not in Unicode 8.0. Those between 8.0 and
// 16.0 that are symbols today (U+2E50, U+2E51) need no entry.
constexpr CodePointRange kPunctuationAfter8[] = {
    {0x061D, 0x061D},   {0x09FD, 0x09FD},   {0x0A76, 0x0A76},
    {0x0C77, 0x0C77},   {0x0C84, 0x0C84},   {0x1B4E, 0x1B4F},
    {0x1B7D, 0x1B7F},   {0x2E43, 0x2E4F},   {0x2E52, 0x2E5D},
    {0x10D6E, 0x10D6E}, {0x10EAD, 0x10EAD}, {0x10F55, 0x10F59},
    {0x10F86, 0x10F89}, {0x113D4, 0x113D5}, {0x113D7, 0x113D8},
    {0x1144B, 0x1144F}, {0x1145A, 0x1145B}, {0x1145D, 0x1145D},
    {0x11660, 0x1166C}, {0x116B9, 0x116B9}, {0x1183B, 0x1183B},
    {0x11944, 0x11946}, {0x119E2, 0x119E2}, {0x11A3F, 0x11A46},
    {0x11A9A, 0x11A9C}, {0x11A9E, 0x11AA2}, {0x11B00, 0x11B09},
    {0x11BE1, 0x11BE1}, {0x11C41, 0x11C45}, {0x11C70, 0x11C71},
    {0x11EF7, 0x11EF8}, {0x11F43, 0x11F4F}, {0x11FFF, 0x11FFF},
    {0x12FF1, 0x12FF2}, {0x16D6D, 0x16D6F}, {0x16E97, 0x16E9A},
    {0x16FE2, 0x16FE2}, {0x1E5FF, 0x1E5FF}, {0x1E95E, 0x1E95F}};

utf8proc_category_t Category(char32_t code_point) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
}

constexpr bool IsAsciiLetter(char32_t c) {
  return Between(c | 0x20, U'a', U'z');
}

constexpr bool IsAsciiNumber(char32_t c) { return Between(c, U'0', U'9'); }

struct Scan {
  size_t length;  // of the character, or of the longest prefix of one
  bool valid;
};

// Reads the character at the start of a non-empty `text`.
Scan ScanCharacter(std::string_view text) {
  const auto byte = [&](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const size_t length = Utf8Length(text[0]);
  // The second byte's range shuts out overlong forms, surrogates and values
  // above U+10FFFF.
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  for (size_t i = 1; i < length; ++i) {
    if (i >= text.size() || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {length, true};
}

}  // namespace

std::optional<size_t> FindInvalidUtf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    uint64_t eight;
    if (text.size() - i >= sizeof(eight)) {
      std::memcpy(&eight, text.data() + i, sizeof(eight));
      if ((eight & 0x8080808080808080u) == 0) {
        i += sizeof(eight);
        continue;
      }
    }
    const Scan scan = ScanCharacter(text.substr(i));
    if (!scan.valid) return i;
    i += scan.length;
  }
  return std::nullopt;
}

void AppendUtf8(char32_t code_point, std::string* out) {
  const auto append = [out](char32_t value) {
    out->push_back(static_cast<char>(static_cast<unsigned char>(value)));
  };
  if (code_point < 0x80) {
    append(code_point);
  } else if (code_point < 0x800) {
    append(0xC0 | code_point >> 6);
    append(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    append(0xE0 | code_point >> 12);
    append(0x80 | (code_point >> 6 & 0x3F));
    append(0x80 | (code_point & 0x3F));
  } else {
    append(0xF0 | code_point >> 18);
    append(0x80 | (code_point >> 12 & 0x3F));
    append(0x80 | (code_point >> 6 & 0x3F));
    append(0x80 | (code_point & 0x3F));
  }
}

size_t CountCodePoints(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return !IsUtf8Continuation(c); }));
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t good = FindInvalidUtf8(text).value_or(text.size());
    out.append(text.substr(0, good));
    text.remove_prefix(good);
    if (text.empty()) break;
    AppendUtf8(0xFFFD, &out);
    text.remove_prefix(ScanCharacter(text).length);
  }
  return out;
}

bool IsWhiteSpace(char32_t c) {
  if (c < 0x80) return c == 0x20 || Between(c, 0x09, 0x0D);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || Between(c, 0x2000, 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool IsLetter(char32_t c) {
  if (c < 0x80) return IsAsciiLetter(c);
  switch (Category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return true;
    case UTF8PROC_CATEGORY_CN:
      return Contains(kLetters16, c);
    default:
      return false;
  }
}

bool IsNumber(char32_t c) {
  if (c < 0x80) return IsAsciiNumber(c);
  switch (Category(c)) {
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return true;
    case UTF8PROC_CATEGORY_CN:
      return Contains(kNumbers16, c);
    default:
      return false;
  }
}

bool IsWordCharacter(char32_t c) {
  if (c < 0x80) return IsAsciiLetter(c) || IsAsciiNumber(c) || c == U'_';
  switch (Category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    case UTF8PROC_CATEGORY_NO:
      return false;
    default:
      // U+200C and U+200D are the join controls.
      return IsLetter(c) || c == 0x200C || c == 0x200D ||
             Contains(kNumbers16, c) || Contains(kOtherWordCharacters, c);
  }
}

bool IsDecimalDigit(char32_t c) {
  if (c < 0x80) return IsAsciiNumber(c);
  // All numbers that are new in Unicode 16 are digits.
  return Category(c) == UTF8PROC_CATEGORY_ND || Contains(kNumbers16, c);
}

bool IsNewestNumber(char32_t c) {
  return IsNumber(c) || Between(c, 0x11DE0, 0x11DE9) ||
         Between(c, 0x16FF4, 0x16FF6);
}

bool IsRegexWord(char32_t c) {
  if (c == 0x200C || c == 0x200D) return false;
  return IsWordCharacter(c) || c == 0xB2 || c == 0xB3 || c == 0xB9 ||
         Between(c, 0xBC, 0xBE);
}

bool IsNewestPunctuation(char32_t c) {
  if (c < 0x80) {
    return Between(c, 0x21, 0x2F) || Between(c, 0x3A, 0x40) ||
           Between(c, 0x5B, 0x60) || Between(c, 0x7B, 0x7E);
  }
  switch (Category(c)) {
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return true;
    default:
      return false;
  }
}

bool IsPunctuation(char32_t c) {
  // Punctuation in Unicode 8, reclassified since.
  if (c == 0x166D || c == 0x111C9) return true;
  return IsNewestPunctuation(c) &&
         (c < 0x80 || !Contains(kPunctuationAfter8, c));
}

}  // namespace deberta::tokenizer
