#include "tokenizer/normalization/normalization_form.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "tokenizer/text/code_point_ranges.h"

namespace deberta::tokenizer {
namespace {

// Nothing below combines, or decomposes into something else than it composes
// to.
constexpr char32_t kFirstCombining = 0x300;
// Nothing below decomposes.
constexpr char32_t kFirstDecomposed = 0xC0;
constexpr char32_t kFirstCompatibility = 0xA0;

bool IsCompatibility(NormalizationForm form) {
  return form == NormalizationForm::kNfkc || form == NormalizationForm::kNfkd;
}

bool IsComposed(NormalizationForm form) {
  return form == NormalizationForm::kNfc || form == NormalizationForm::kNfkc;
}

// Combining characters since Unicode 9.0.
constexpr CodePointRange kCombiningAfter9[] = {
    {0x7FD, 0x7FD},     {0x897, 0x89F},     {0x8CA, 0x8D3},
    {0x9FE, 0x9FE},     {0xC3C, 0xC3C},     {0xD3B, 0xD3C},
    {0xEBA, 0xEBA},     {0x1715, 0x1715},   {0x1ABF, 0x1ACE},
    {0x1DF6, 0x1DFA},   {0xA82C, 0xA82C},   {0x10D24, 0x10D27},
    {0x10D69, 0x10D6D}, {0x10EAB, 0x10EAC}, {0x10EFC, 0x10EFF},
    {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070},
    {0x1133B, 0x1133B}, {0x113CE, 0x113D0}, {0x1145E, 0x1145E},
    {0x11839, 0x1183A}, {0x1193D, 0x1193E}, {0x11943, 0x11943},
    {0x119E0, 0x119E0}, {0x11A34, 0x11A34}, {0x11A47, 0x11A47},
    {0x11A99, 0x11A99}, {0x11D42, 0x11D42}, {0x11D44, 0x11D45},
    {0x11D97, 0x11D97}, {0x11F41, 0x11F42}, {0x1612F, 0x1612F},
    {0x16FF0, 0x16FF1}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136},
    {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF},
    {0x1E5EE, 0x1E5EF}};

// Canonical compositions since Unicode 9.0.
bool IsComposedAfter9(char32_t c) {
  return c == 0x11938 || (c >= 0x105C9 && c <= 0x105E4) ||
         (c >= 0x11383 && c <= 0x113C8) || (c >= 0x16121 && c <= 0x1612A) ||
         (c >= 0x16D68 && c <= 0x16D6A);
}

// Compatibility decompositions since Unicode 9.0.
bool IsCompatibilityAfter9(char32_t c) {
  return c == 0x32FF || (c >= 0xA7F1 && c <= 0xA7F4) || c == 0xAB69 ||
         (c >= 0x10781 && c <= 0x107BA) || (c >= 0x1CCD6 && c <= 0x1CCF9) ||
         (c >= 0x1E030 && c <= 0x1E06D) || c == 0x1F16C ||
         (c >= 0x1FBF0 && c <= 0x1FBF9);
}

int CombiningClass(char32_t c, UnicodeData data) {
  if (c < kFirstCombining ||
      (data == UnicodeData::kNine && Contains(kCombiningAfter9, c))) {
    return 0;
  }
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))
      ->combining_class;
}

// A character on its way. `consumed` is how many of the source's characters it
// stands for, less one; 1 for one that stands for none.
struct Item {
  char32_t value;
  int change;
  int combining_class;
};

// 0 if the two do not compose.
char32_t Compose(char32_t first, char32_t second, UnicodeData data) {
  std::array<utf8proc_int32_t, 2> pair = {
      static_cast<utf8proc_int32_t>(first),
      static_cast<utf8proc_int32_t>(second)};
  const utf8proc_ssize_t size = utf8proc_normalize_utf32(
      pair.data(), pair.size(),
      static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
  const auto composed = static_cast<char32_t>(pair[0]);
  const bool known =
      data == UnicodeData::kNewest || !IsComposedAfter9(composed);
  return size == 1 && known ? composed : 0;
}

// Whether it decomposes into itself, whatever utf8proc knows of it.
bool IsTooNew(char32_t c, bool compatibility, UnicodeData data) {
  return data == UnicodeData::kNine &&
         (IsComposedAfter9(c) || (compatibility && IsCompatibilityAfter9(c)));
}

void Decompose(char32_t c, bool compatibility, UnicodeData data,
               std::vector<Item>* out) {
  // The longest decomposition has eighteen characters.
  std::array<utf8proc_int32_t, 32> parts = {static_cast<utf8proc_int32_t>(c)};
  utf8proc_ssize_t size = 1;
  const char32_t first = compatibility ? kFirstCompatibility : kFirstDecomposed;
  if (c >= first && !IsTooNew(c, compatibility, data)) {
    int last_boundary = 0;
    const int options = UTF8PROC_DECOMPOSE | UTF8PROC_STABLE |
                        (compatibility ? UTF8PROC_COMPAT : 0);
    size = utf8proc_decompose_char(
        static_cast<utf8proc_int32_t>(c), parts.data(), parts.size(),
        static_cast<utf8proc_option_t>(options), &last_boundary);
  }
  for (utf8proc_ssize_t i = 0; i < size; ++i) {
    const auto part = static_cast<char32_t>(parts[static_cast<size_t>(i)]);
    out->push_back({part, i == 0 ? 0 : 1, CombiningClass(part, data)});
  }
}

// Composes a starter with what follows it up to the next starter, in place.
// `begin` is the starter.
class Composer {
 public:
  Composer(UnicodeData data, std::vector<Item>* out)
      : data_(data), out_(*out) {}

  void Add(const Item& item) {
    if (!has_starter_) {
      out_.push_back(item);
      has_starter_ = item.combining_class == 0;
      starter_ = out_.size() - 1;
      return;
    }
    const bool blocked = last_class_ >= item.combining_class;
    if (last_class_ < 0 || !blocked) {
      if (const char32_t composed =
              Compose(out_[starter_].value, item.value, data_);
          composed != 0) {
        out_[starter_].value = composed;
        out_[starter_].change += item.change - 1;
        return;
      }
    }
    out_.push_back(item);
    if (item.combining_class == 0) {
      starter_ = out_.size() - 1;
      last_class_ = -1;
    } else {
      last_class_ = item.combining_class;
    }
  }

 private:
  const UnicodeData data_;
  std::vector<Item>& out_;
  bool has_starter_ = false;
  size_t starter_ = 0;
  int last_class_ = -1;  // of the last one kept since the starter
};

// Orders the marks behind each starter.
void Order(std::vector<Item>* items) {
  for (auto begin = items->begin(); begin != items->end();) {
    const auto combines = [](const Item& item) {
      return item.combining_class != 0;
    };
    begin = std::find_if(begin, items->end(), combines);
    const auto end = std::find_if_not(begin, items->end(), combines);
    std::stable_sort(begin, end, [](const Item& a, const Item& b) {
      return a.combining_class < b.combining_class;
    });
    begin = end;
  }
}

// The first character that `form` may change, alone or with its neighbours.
char32_t FirstChanged(NormalizationForm form) {
  if (IsCompatibility(form)) return kFirstCompatibility;
  return IsComposed(form) ? kFirstCombining : kFirstDecomposed;
}

}  // namespace

void ApplyForm(NormalizationForm form, AlignedText* text, UnicodeData data) {
  const char32_t first = FirstChanged(form);
  const bool plain =
      std::all_of(text->begin(), text->end(),
                  [first](const AlignedChar& c) { return c.value < first; });
  if (plain) return;

  std::vector<Item> items;
  items.reserve(text->size());
  for (const AlignedChar& c : *text) {
    Decompose(c.value, IsCompatibility(form), data, &items);
  }
  Order(&items);
  if (IsComposed(form)) {
    std::vector<Item> composed;
    composed.reserve(items.size());
    Composer composer(data, &composed);
    for (const Item& item : items) composer.Add(item);
    items = std::move(composed);
  }

  AlignedText out;
  out.reserve(items.size());
  size_t next = 0;  // the first character of the source not stood for
  for (const Item& item : items) {
    const size_t old = item.change > 0 ? std::max<size_t>(next, 1) - 1 : next;
    out.push_back({item.value, (*text)[old].span});
    if (item.change <= 0) next += 1 + static_cast<size_t>(-item.change);
  }
  *text = std::move(out);
}

}  // namespace deberta::tokenizer
