#include "tokenizer/text/general_category.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>

namespace deberta::tokenizer {
namespace {

static_assert(static_cast<int>(GeneralCategory::kLo) == UTF8PROC_CATEGORY_LO &&
              static_cast<int>(GeneralCategory::kNo) == UTF8PROC_CATEGORY_NO &&
              static_cast<int>(GeneralCategory::kSo) == UTF8PROC_CATEGORY_SO &&
              static_cast<int>(GeneralCategory::kCo) == UTF8PROC_CATEGORY_CO);

struct CategoryRange {
  char32_t first;
  char32_t last;
  GeneralCategory category;
};

// What utf8proc 2.8 (Unicode 15.0) lacks of Unicode 16.0.
constexpr CategoryRange kNewIn16[] = {{0x0897, 0x0897, GeneralCategory::kMn},
                                      {0x1B4E, 0x1B4F, GeneralCategory::kPo},
                                      {0x1B7F, 0x1B7F, GeneralCategory::kPo},
                                      {0x1C89, 0x1C89, GeneralCategory::kLu},
                                      {0x1C8A, 0x1C8A, GeneralCategory::kLl},
                                      {0x2427, 0x2429, GeneralCategory::kSo},
                                      {0x2FFC, 0x2FFF, GeneralCategory::kSo},
                                      {0x31E4, 0x31E5, GeneralCategory::kSo},
                                      {0x31EF, 0x31EF, GeneralCategory::kSo},
                                      {0xA7CB, 0xA7CC, GeneralCategory::kLu},
                                      {0xA7CD, 0xA7CD, GeneralCategory::kLl},
                                      {0xA7DA, 0xA7DA, GeneralCategory::kLu},
                                      {0xA7DB, 0xA7DB, GeneralCategory::kLl},
                                      {0xA7DC, 0xA7DC, GeneralCategory::kLu},
                                      {0x105C0, 0x105F3, GeneralCategory::kLo},
                                      {0x10D40, 0x10D49, GeneralCategory::kNd},
                                      {0x10D4A, 0x10D4D, GeneralCategory::kLo},
                                      {0x10D4E, 0x10D4E, GeneralCategory::kLm},
                                      {0x10D4F, 0x10D4F, GeneralCategory::kLo},
                                      {0x10D50, 0x10D65, GeneralCategory::kLu},
                                      {0x10D69, 0x10D6D, GeneralCategory::kMn},
                                      {0x10D6E, 0x10D6E, GeneralCategory::kPd},
                                      {0x10D6F, 0x10D6F, GeneralCategory::kLm},
                                      {0x10D70, 0x10D85, GeneralCategory::kLl},
                                      {0x10D8E, 0x10D8F, GeneralCategory::kSm},
                                      {0x10EC2, 0x10EC4, GeneralCategory::kLo},
                                      {0x10EFC, 0x10EFC, GeneralCategory::kMn},
                                      {0x11380, 0x11389, GeneralCategory::kLo},
                                      {0x1138B, 0x1138B, GeneralCategory::kLo},
                                      {0x1138E, 0x1138E, GeneralCategory::kLo},
                                      {0x11390, 0x113B5, GeneralCategory::kLo},
                                      {0x113B7, 0x113B7, GeneralCategory::kLo},
                                      {0x113B8, 0x113BA, GeneralCategory::kMc},
                                      {0x113BB, 0x113C0, GeneralCategory::kMn},
                                      {0x113C2, 0x113C2, GeneralCategory::kMc},
                                      {0x113C5, 0x113C5, GeneralCategory::kMc},
                                      {0x113C7, 0x113CA, GeneralCategory::kMc},
                                      {0x113CC, 0x113CD, GeneralCategory::kMc},
                                      {0x113CE, 0x113CE, GeneralCategory::kMn},
                                      {0x113CF, 0x113CF, GeneralCategory::kMc},
                                      {0x113D0, 0x113D0, GeneralCategory::kMn},
                                      {0x113D1, 0x113D1, GeneralCategory::kLo},
                                      {0x113D2, 0x113D2, GeneralCategory::kMn},
                                      {0x113D3, 0x113D3, GeneralCategory::kLo},
                                      {0x113D4, 0x113D5, GeneralCategory::kPo},
                                      {0x113D7, 0x113D8, GeneralCategory::kPo},
                                      {0x113E1, 0x113E2, GeneralCategory::kMn},
                                      {0x116D0, 0x116E3, GeneralCategory::kNd},
                                      {0x1171E, 0x1171E, GeneralCategory::kMc},
                                      {0x11BC0, 0x11BE0, GeneralCategory::kLo},
                                      {0x11BE1, 0x11BE1, GeneralCategory::kPo},
                                      {0x11BF0, 0x11BF9, GeneralCategory::kNd},
                                      {0x11F5A, 0x11F5A, GeneralCategory::kMn},
                                      {0x13460, 0x143FA, GeneralCategory::kLo},
                                      {0x16100, 0x1611D, GeneralCategory::kLo},
                                      {0x1611E, 0x16129, GeneralCategory::kMn},
                                      {0x1612A, 0x1612C, GeneralCategory::kMc},
                                      {0x1612D, 0x1612F, GeneralCategory::kMn},
                                      {0x16130, 0x16139, GeneralCategory::kNd},
                                      {0x16D40, 0x16D42, GeneralCategory::kLm},
                                      {0x16D43, 0x16D6A, GeneralCategory::kLo},
                                      {0x16D6B, 0x16D6C, GeneralCategory::kLm},
                                      {0x16D6D, 0x16D6F, GeneralCategory::kPo},
                                      {0x16D70, 0x16D79, GeneralCategory::kNd},
                                      {0x18CFF, 0x18CFF, GeneralCategory::kLo},
                                      {0x1CC00, 0x1CCEF, GeneralCategory::kSo},
                                      {0x1CCF0, 0x1CCF9, GeneralCategory::kNd},
                                      {0x1CD00, 0x1CEB3, GeneralCategory::kSo},
                                      {0x1E5D0, 0x1E5ED, GeneralCategory::kLo},
                                      {0x1E5EE, 0x1E5EF, GeneralCategory::kMn},
                                      {0x1E5F0, 0x1E5F0, GeneralCategory::kLo},
                                      {0x1E5F1, 0x1E5FA, GeneralCategory::kNd},
                                      {0x1E5FF, 0x1E5FF, GeneralCategory::kPo},
                                      {0x1F8B2, 0x1F8BB, GeneralCategory::kSo},
                                      {0x1F8C0, 0x1F8C1, GeneralCategory::kSo},
                                      {0x1FA89, 0x1FA89, GeneralCategory::kSo},
                                      {0x1FA8F, 0x1FA8F, GeneralCategory::kSo},
                                      {0x1FABE, 0x1FABE, GeneralCategory::kSo},
                                      {0x1FAC6, 0x1FAC6, GeneralCategory::kSo},
                                      {0x1FADC, 0x1FADC, GeneralCategory::kSo},
                                      {0x1FADF, 0x1FADF, GeneralCategory::kSo},
                                      {0x1FAE9, 0x1FAE9, GeneralCategory::kSo},
                                      {0x1FBCB, 0x1FBEF, GeneralCategory::kSo},
                                      {0x2EBF0, 0x2EE5D, GeneralCategory::kLo}};

}  // namespace

GeneralCategory CategoryOf(char32_t code_point) {
  const auto known = static_cast<GeneralCategory>(
      utf8proc_category(static_cast<utf8proc_int32_t>(code_point)));
  // U+1171E has changed since.
  if (known != GeneralCategory::kCn && code_point != 0x1171E) return known;
  const auto* range =
      std::ranges::lower_bound(kNewIn16, code_point, {}, &CategoryRange::last);
  const bool is_new = range != std::end(kNewIn16) && range->first <= code_point;
  return is_new ? range->category : known;
}

}  // namespace deberta::tokenizer
