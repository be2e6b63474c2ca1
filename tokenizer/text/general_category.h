// The general categories of Unicode 16.0, which the reference's regular
// expressions have.

#ifndef TOKENIZER_TEXT_GENERAL_CATEGORY_H_
#define TOKENIZER_TEXT_GENERAL_CATEGORY_H_

#include <cstdint>

namespace deberta::tokenizer {

// By their names in Unicode; in utf8proc's order.
enum class GeneralCategory : uint8_t {
  kCn,
  kLu,
  kLl,
  kLt,
  kLm,
  kLo,
  kMn,
  kMc,
  kMe,
  kNd,
  kNl,
  kNo,
  kPc,
  kPd,
  kPs,
  kPe,
  kPi,
  kPf,
  kPo,
  kSm,
  kSc,
  kSk,
  kSo,
  kZs,
  kZl,
  kZp,
  kCc,
  kCf,
  kCs,
  kCo,
};

GeneralCategory CategoryOf(char32_t code_point);

// Whether its category is one of these, in the order above.
template <GeneralCategory kFirst, GeneralCategory kLast = kFirst>
bool IsOfCategory(char32_t code_point) {
  const GeneralCategory category = CategoryOf(code_point);
  return kFirst <= category && category <= kLast;
}

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_GENERAL_CATEGORY_H_
