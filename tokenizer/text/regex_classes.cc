#include "tokenizer/text/regex_classes.h"

#include <algorithm>
#include <iterator>

#include "tokenizer/text/general_category.h"

namespace deberta::tokenizer {
namespace {

using Category = GeneralCategory;

struct NamedClass {
  std::string_view name;
  Members members;
};

// Those whose members are Oniguruma's on every code point.
constexpr NamedClass kProperties[] = {
    {"L", AllThat<IsLetter>},
    {"Letter", AllThat<IsLetter>},
    {"N", AllThat<IsNumber>},
    {"Number", AllThat<IsNumber>},
    {"Nd", AllThat<IsDecimalDigit>},
    {"Digit", AllThat<IsDecimalDigit>},
    {"Space", AllThat<IsWhiteSpace>},
    {"White_Space", AllThat<IsWhiteSpace>},
    {"Word", AllThat<IsRegexWord>},
    {"M", AllThat<IsOfCategory<Category::kMn, Category::kMe>>},
    {"P", AllThat<IsOfCategory<Category::kPc, Category::kPo>>},
    {"S", AllThat<IsOfCategory<Category::kSm, Category::kSo>>},
    {"Z", AllThat<IsOfCategory<Category::kZs, Category::kZp>>},
    {"Lu", AllThat<IsOfCategory<Category::kLu>>},
    {"Ll", AllThat<IsOfCategory<Category::kLl>>},
    {"Lt", AllThat<IsOfCategory<Category::kLt>>},
    {"Lm", AllThat<IsOfCategory<Category::kLm>>},
    {"Lo", AllThat<IsOfCategory<Category::kLo>>},
    {"Mn", AllThat<IsOfCategory<Category::kMn>>},
    {"Mc", AllThat<IsOfCategory<Category::kMc>>},
    {"Me", AllThat<IsOfCategory<Category::kMe>>},
    {"Nl", AllThat<IsOfCategory<Category::kNl>>},
    {"No", AllThat<IsOfCategory<Category::kNo>>},
    {"Pc", AllThat<IsOfCategory<Category::kPc>>},
    {"Pd", AllThat<IsOfCategory<Category::kPd>>},
    {"Ps", AllThat<IsOfCategory<Category::kPs>>},
    {"Pe", AllThat<IsOfCategory<Category::kPe>>},
    {"Pi", AllThat<IsOfCategory<Category::kPi>>},
    {"Pf", AllThat<IsOfCategory<Category::kPf>>},
    {"Po", AllThat<IsOfCategory<Category::kPo>>},
    {"Sm", AllThat<IsOfCategory<Category::kSm>>},
    {"Sc", AllThat<IsOfCategory<Category::kSc>>},
    {"Sk", AllThat<IsOfCategory<Category::kSk>>},
    {"So", AllThat<IsOfCategory<Category::kSo>>},
    {"Zs", AllThat<IsOfCategory<Category::kZs>>},
    {"Zl", AllThat<IsOfCategory<Category::kZl>>},
    {"Zp", AllThat<IsOfCategory<Category::kZp>>},
    {"Cc", AllThat<IsOfCategory<Category::kCc>>},
    {"Cf", AllThat<IsOfCategory<Category::kCf>>},
    {"Co", AllThat<IsOfCategory<Category::kCo>>},
    {"Cn", AllThat<IsOfCategory<Category::kCn>>}};

}  // namespace

Members FindProperty(std::string_view name) {
  const auto* found = std::ranges::find(kProperties, name, &NamedClass::name);
  return found == std::end(kProperties) ? nullptr : found->members;
}

}  // namespace deberta::tokenizer
