#include "model/checkpoint/untrusted_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace deberta::model {

bool IsUtf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<uint8_t>(text[i]);
    ++i;
    if (lead < 0x80) continue;
    const size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || more > text.size() - i) return false;
    uint32_t code = lead & (0x3fu >> more);
    for (const size_t end = i + more; i < end; ++i) {
      const auto next = static_cast<uint8_t>(text[i]);
      if ((next & 0xc0) != 0x80) return false;
      code = code << 6 | (next & 0x3fu);
    }
    const uint32_t least = more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000;
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    if (code < least || code > 0x10ffff || surrogate) return false;
  }
  return true;
}

std::string Quoted(std::string_view text) {
  constexpr size_t kLongest = 80;
  const std::string shown =
      absl::CHexEscape({text.data(), std::min(text.size(), kLongest)});
  return absl::StrCat("\"", shown, text.size() > kLongest ? "...\"" : "\"");
}

}  // namespace deberta::model
