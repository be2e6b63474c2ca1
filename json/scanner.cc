#include "json/scanner.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace deberta::json {
namespace {

std::optional<uint32_t> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint32_t>(c - 'A' + 10);
  return std::nullopt;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void AppendUtf8(uint32_t code, std::string& text) {
  const auto append = [&](uint32_t byte) {
    text.push_back(static_cast<char>(byte));
  };
  if (code < 0x80) return append(code);
  if (code < 0x800) {
    append(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      append(0xe0 | code >> 12);
    } else {
      append(0xf0 | code >> 18);
      append(0x80 | (code >> 12 & 0x3f));
    }
    append(0x80 | (code >> 6 & 0x3f));
  }
  append(0x80 | (code & 0x3f));
}

// Bytes of the well-formed UTF-8 sequence of more than one byte that `text`
// begins with; 0 if there is none.
size_t SequenceBytes(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return 0;
  uint32_t code = lead & (0x7fu >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return 0;
    code = code << 6 | (next & 0x3fu);
  }
  const bool overlong =
      (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return overlong || surrogate || code > 0x10ffff ? 0 : bytes;
}

// from_chars rounds as strtod does, but stops at what a double cannot hold,
// where Python takes infinity or 0.
double RealOf(std::string_view number) {
  double real = 0;
  const auto result =
      std::from_chars(number.data(), number.data() + number.size(), real);
  if (result.ec == std::errc::result_out_of_range) {
    real = std::strtod(std::string(number).c_str(), nullptr);
  }
  return real;
}

}  // namespace

void Scanner::SkipByteOrderMark() {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  if (text_.starts_with(kMark)) at_ = kMark.size();
}

void Scanner::SkipSpace() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' ||
                                text_[at_] == '\r' || text_[at_] == '\t')) {
    ++at_;
  }
}

bool Scanner::Skip(std::string_view word) {
  if (!text_.substr(at_).starts_with(word)) return false;
  at_ += word.size();
  return true;
}

std::string Scanner::Where() const {
  const std::string_view before = text_.substr(0, at_);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::string_view line = before.substr(before.rfind('\n') + 1);
  const auto column = std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<uint8_t>(c) & 0xc0) != 0x80;
  });
  return absl::StrCat("line ", lines + 1, ", column ", column + 1);
}

bool Scanner::Refuse(std::string_view problem) {
  problem_ = problem;
  return false;
}

bool Scanner::Expect(std::string_view expected) {
  std::string got = "the end of the text";
  if (!AtEnd()) {
    const auto byte = static_cast<uint8_t>(text_[at_]);
    got = byte > 0x20 && byte < 0x7f ? absl::StrFormat("'%c'", text_[at_])
                                     : absl::StrFormat("the byte 0x%02x", byte);
  }
  return Refuse(absl::StrCat(
      "expected ", absl::string_view(expected.data(), expected.size()),
      ", got ", got));
}

bool Scanner::ReadString(std::string* out) {
  ++at_;
  size_t begin = at_;
  while (at_ < text_.size()) {
    const auto byte = static_cast<uint8_t>(text_[at_]);
    if (byte >= 0x80) {
      const size_t bytes = SequenceBytes(text_.substr(at_));
      if (bytes == 0) return Expect("UTF-8");
      at_ += bytes;
    } else if (byte == '"') {
      out->append(text_.substr(begin, at_ - begin));
      ++at_;
      return true;
    } else if (byte == '\\') {
      out->append(text_.substr(begin, at_ - begin));
      if (!ReadEscape(out)) return false;
      begin = at_;
    } else if (byte < 0x20) {
      return Expect("no control character in a string");
    } else {
      ++at_;
    }
  }
  return Expect("the end of a string");
}

bool Scanner::ReadEscape(std::string* out) {
  constexpr std::string_view kEscapes = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  ++at_;
  if (Peek() != 'u') {
    const size_t escape =
        at_ < text_.size() ? kEscapes.find(text_[at_]) : kEscapes.npos;
    if (escape == kEscapes.npos) return Expect("an escape after '\\'");
    out->push_back(kMeanings[escape]);
    ++at_;
    return true;
  }
  uint32_t code = 0;
  if (!ReadCodeUnit(&code)) return false;
  if (code >= 0xdc00 && code < 0xe000) {
    return Refuse("expected no second half of a surrogate pair alone");
  }
  if (code >= 0xd800 && code < 0xdc00) {
    uint32_t low = 0;
    if (Peek() != '\\') return Expect("the second half of a surrogate pair");
    ++at_;
    if (Peek() != 'u') return Expect("the second half of a surrogate pair");
    if (!ReadCodeUnit(&low)) return false;
    if (low < 0xdc00 || low > 0xdfff) {
      return Refuse("expected the second half of a surrogate pair");
    }
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  AppendUtf8(code, *out);
  return true;
}

bool Scanner::ReadCodeUnit(uint32_t* unit) {
  ++at_;  // 'u'
  for (int i = 0; i < 4; ++i) {
    const std::optional<uint32_t> digit = HexDigit(Peek());
    if (!digit) return Expect("four hexadecimal digits after '\\u'");
    *unit = *unit << 4 | *digit;
    ++at_;
  }
  return true;
}

bool Scanner::SkipDigits() {
  if (!IsDigit(Peek())) return Expect("a digit");
  while (IsDigit(Peek())) ++at_;
  return true;
}

bool Scanner::ReadNumber(nlohmann::json* out) {
  const size_t begin = at_;
  const bool negative = Peek() == '-';
  if (negative) ++at_;
  if (Peek() == '0') {
    ++at_;
  } else if (!SkipDigits()) {
    return false;
  }
  bool whole = true;
  if (Peek() == '.') {
    whole = false;
    ++at_;
    if (!SkipDigits()) return false;
  }
  if (Peek() == 'e' || Peek() == 'E') {
    whole = false;
    ++at_;
    if (Peek() == '+' || Peek() == '-') ++at_;
    if (!SkipDigits()) return false;
  }
  const std::string_view number = text_.substr(begin, at_ - begin);
  const char* first = number.data();
  const char* last = first + number.size();
  uint64_t count = 0;
  int64_t integer = 0;
  if (whole && !negative &&
      std::from_chars(first, last, count).ec == std::errc()) {
    *out = count;
  } else if (whole && negative &&
             std::from_chars(first, last, integer).ec == std::errc()) {
    *out = integer;
  } else {
    *out = RealOf(number);
  }
  return true;
}

}  // namespace deberta::json
