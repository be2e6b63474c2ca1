#include "tokenizer/normalization/bert_normalizer.h"

#include <utf8proc.h>

#include <utility>
#include <vector>

#include "tokenizer/normalization/mark_tables.h"
#include "tokenizer/normalization/normalization_form.h"
#include "tokenizer/text/code_point_ranges.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

struct CaseRange {
  char32_t first;
  char32_t last;
  char32_t lower;  // of `first`
};

// Letters of Unicode 16.0 and 17.0 that utf8proc 2.8 (Unicode 15.0) does not
// map; the reference's Lowercase has Unicode 17.0.
constexpr CaseRange kLowercaseAfter15[] = {
    {0x1C89, 0x1C89, 0x1C8A},    {0xA7CB, 0xA7CB, 0x264},
    {0xA7CC, 0xA7CC, 0xA7CD},    {0xA7CE, 0xA7CE, 0xA7CF},
    {0xA7D2, 0xA7D2, 0xA7D3},    {0xA7D4, 0xA7D4, 0xA7D5},
    {0xA7DA, 0xA7DA, 0xA7DB},    {0xA7DC, 0xA7DC, 0x19B},
    {0x10D50, 0x10D65, 0x10D70}, {0x16EA0, 0x16EB8, 0x16EBB}};

char32_t ToLower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
  for (const CaseRange& range : kLowercaseAfter15) {
    if (c >= range.first && c <= range.last)
      return range.lower + c - range.first;
  }
  return static_cast<char32_t>(
      utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

// The library's list; it begins one block later than Unicode's in one place.
bool IsChinese(char32_t c) {
  return Between(c, 0x3400, 0x4DBF) || Between(c, 0x4E00, 0x9FFF) ||
         Between(c, 0xF900, 0xFAFF) || Between(c, 0x20000, 0x2A6DF) ||
         Between(c, 0x2A700, 0x2B81F) || Between(c, 0x2B920, 0x2CEAF) ||
         Between(c, 0x2F800, 0x2FA1F);
}

void CleanText(AlignedText* text) {
  std::erase_if(*text, [](const AlignedChar& c) {
    return c.value == 0xFFFD || IsBertControl(c.value);
  });
  for (AlignedChar& c : *text) {
    if (IsWhiteSpace(c.value)) c.value = ' ';
  }
}

// Category C* in Python's unicodedata.
bool IsPythonControl(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CS:
      return true;
    default:
      return false;
  }
}

void SetChineseApart(AlignedText* text) {
  AlignedText out;
  out.reserve(text->size());
  for (const AlignedChar& c : *text) {
    const bool apart = IsChinese(c.value);
    if (apart) out.push_back({' ', c.span});
    out.push_back(c);
    if (apart) out.push_back({' ', c.span});
  }
  *text = std::move(out);
}

}  // namespace

void ApplyLowercase(AlignedText* text) {
  // The one code point whose lower case is two.
  constexpr char32_t kCapitalIWithDot = 0x130;
  constexpr char32_t kCombiningDotAbove = 0x307;
  AlignedText out;
  out.reserve(text->size());
  for (const AlignedChar& c : *text) {
    out.push_back({ToLower(c.value), c.span});
    if (c.value == kCapitalIWithDot) {
      out.back().value = 'i';
      out.push_back({kCombiningDotAbove, c.span});
    }
  }
  *text = std::move(out);
}

void ApplyStripAccents(AlignedText* text) {
  std::erase_if(*text, [](const AlignedChar& c) { return IsMark(c.value); });
}

void ApplyNmt(AlignedText* text) {
  std::erase_if(*text, [](const AlignedChar& c) {
    return Between(c.value, 0x01, 0x08) || c.value == 0x0B ||
           Between(c.value, 0x0E, 0x1F) || c.value == 0x7F || c.value == 0x8F ||
           c.value == 0x9F;
  });
  for (AlignedChar& c : *text) {
    const char32_t v = c.value;
    if (v == 0x09 || v == 0x0A || v == 0x0C || v == 0x0D || v == 0x1680 ||
        Between(v, 0x200B, 0x200F) || v == 0x2028 || v == 0x2029 ||
        v == 0x2581 || v == 0xFEFF || v == 0xFFFD) {
      c.value = ' ';
    }
  }
}

void ApplyPythonBert(AlignedText* text) {
  std::erase_if(*text, [](const AlignedChar& c) {
    return c.value == 0xFFFD || IsPythonControl(c.value);
  });
  for (AlignedChar& c : *text) {
    if (IsWhiteSpace(c.value)) c.value = ' ';
  }
  ApplyForm(NormalizationForm::kNfc, text, UnicodeData::kNewest);
}

void ApplyBert(const BertNormalizer& options, AlignedText* text) {
  if (options.clean_text) CleanText(text);
  if (options.handle_chinese_chars) SetChineseApart(text);
  if (options.strip_accents) {
    ApplyForm(NormalizationForm::kNfd, text);
    std::erase_if(
        *text, [](const AlignedChar& c) { return IsNonspacingMark(c.value); });
  }
  if (options.lowercase) ApplyLowercase(text);
}

}  // namespace deberta::tokenizer
