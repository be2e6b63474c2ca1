#include "tokenizer/text/unicode.h"

#include <cstring>

#include "tokenizer/text/code_point_ranges.h"
#include "tokenizer/text/general_category.h"

namespace deberta::tokenizer {
namespace {

// Alphabetic symbols: letters in circles and squares.
constexpr CodePointRange kAlphabeticSymbols[] = {{0x24B6, 0x24E9},
                                                 {0x1F130, 0x1F149},
                                                 {0x1F150, 0x1F169},
                                                 {0x1F170, 0x1F189}};
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

using Category = GeneralCategory;

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
  return IsOfCategory<Category::kLu, Category::kLo>(c);
}

bool IsNumber(char32_t c) {
  if (c < 0x80) return IsAsciiNumber(c);
  return IsOfCategory<Category::kNd, Category::kNo>(c);
}

bool IsWordCharacter(char32_t c) {
  if (c < 0x80) return IsAsciiLetter(c) || IsAsciiNumber(c) || c == U'_';
  if (IsOfCategory<Category::kLu, Category::kNl>(c)) return true;
  // U+200C and U+200D are the join controls.
  return IsOfCategory<Category::kPc>(c) || c == 0x200C || c == 0x200D ||
         Contains(kAlphabeticSymbols, c);
}

bool IsDecimalDigit(char32_t c) {
  if (c < 0x80) return IsAsciiNumber(c);
  return IsOfCategory<Category::kNd>(c);
}

bool IsNewestNumber(char32_t c) {
  return IsNumber(c) || Between(c, 0x11DE0, 0x11DE9) ||
         Between(c, 0x16FF4, 0x16FF6);
}

bool IsRegexWord(char32_t c) {
  return IsRegexClassWord(c) || c == 0xB2 || c == 0xB3 || c == 0xB9 ||
         Between(c, 0xBC, 0xBE);
}

bool IsRegexClassWord(char32_t c) {
  return IsWordCharacter(c) && c != 0x200C && c != 0x200D;
}

bool IsNewestPunctuation(char32_t c) {
  if (c < 0x80) {
    return Between(c, 0x21, 0x2F) || Between(c, 0x3A, 0x40) ||
           Between(c, 0x5B, 0x60) || Between(c, 0x7B, 0x7E);
  }
  return IsOfCategory<Category::kPc, Category::kPo>(c);
}

bool IsPunctuation(char32_t c) {
  // Punctuation in Unicode 8, reclassified since.
  if (c == 0x166D || c == 0x111C9) return true;
  return IsNewestPunctuation(c) &&
         (c < 0x80 || !Contains(kPunctuationAfter8, c));
}

}  // namespace deberta::tokenizer
