#include "tokenizer/pre_tokenization/byte_level.h"

#include <array>
#include <cstdint>

#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

constexpr std::array<uint16_t, 256> MakeByteCharacters() {
  std::array<uint16_t, 256> characters{};
  uint16_t next = 256;
  for (uint16_t b = 0; b < 256; ++b) {
    const bool printable =
        (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    characters[b] = printable ? b : next++;
  }
  return characters;
}

constexpr std::array<uint16_t, 256> kByteCharacters = MakeByteCharacters();
constexpr size_t kCharacters = 0x144;

constexpr std::array<int16_t, kCharacters> MakeCharacterBytes() {
  std::array<int16_t, kCharacters> bytes{};
  for (int16_t& byte : bytes) byte = -1;
  for (size_t b = 0; b < 256; ++b) {
    bytes[kByteCharacters[b]] = static_cast<int16_t>(b);
  }
  return bytes;
}

constexpr std::array<int16_t, kCharacters> kCharacterBytes =
    MakeCharacterBytes();

enum class CharacterClass : uint8_t { kLetter, kNumber, kSpace, kOther };

CharacterClass Classify(char32_t c) {
  if (IsLetter(c)) return CharacterClass::kLetter;
  if (IsNumber(c)) return CharacterClass::kNumber;
  if (IsWhiteSpace(c)) return CharacterClass::kSpace;
  return CharacterClass::kOther;
}

std::array<CharacterClass, 128> MakeAsciiClasses() {
  std::array<CharacterClass, 128> classes{};
  for (char32_t c = 0; c < 128; ++c) classes[c] = Classify(c);
  return classes;
}

// The class of the character at `*position`, which is moved behind it.
CharacterClass NextClass(std::string_view text, size_t* position) {
  static const std::array<CharacterClass, 128> kAscii = MakeAsciiClasses();
  const auto byte = static_cast<unsigned char>(text[*position]);
  if (byte < 0x80) {
    ++*position;
    return kAscii[byte];
  }
  return Classify(DecodeUtf8(text, position));
}

// Length of 's, 't, 're, 've, 'm, 'll or 'd at the start of `text`, else 0.
size_t ContractionLength(std::string_view text) {
  if (text.size() < 2 || text[0] != '\'') return 0;
  switch (text[1]) {
    case 's':
    case 't':
    case 'm':
    case 'd':
      return 2;
    case 'r':
    case 'v':
      return text.size() > 2 && text[2] == 'e' ? 3 : 0;
    case 'l':
      return text.size() > 2 && text[2] == 'l' ? 3 : 0;
    default:
      return 0;
  }
}

}  // namespace

size_t PieceEnd(std::string_view text, size_t begin) {
  if (const size_t length = ContractionLength(text.substr(begin)); length > 0) {
    return begin + length;
  }
  size_t end = begin;
  CharacterClass kind = NextClass(text, &end);
  if (text[begin] == ' ' && end < text.size()) {
    size_t second = end;
    const CharacterClass next = NextClass(text, &second);
    if (next != CharacterClass::kSpace) {
      kind = next;
      end = second;
    }
  }
  // `last` is where the last character of the run starts.
  size_t last = begin;
  bool more = false;
  while (end < text.size()) {
    size_t next = end;
    if (NextClass(text, &next) != kind) {
      more = true;
      break;
    }
    last = end;
    end = next;
  }
  // White space in front of something else leaves its last character to that.
  if (kind == CharacterClass::kSpace && more && last > begin) return last;
  return end;
}

char32_t ByteCharacter(char byte) {
  return kByteCharacters[static_cast<unsigned char>(byte)];
}

bool AppendBytes(std::string_view token, std::string* out) {
  const size_t before = out->size();
  for (size_t i = 0; i < token.size();) {
    const char32_t c = DecodeUtf8(token, &i);
    if (c >= kCharacters || kCharacterBytes[c] < 0) {
      out->resize(before);
      return false;
    }
    out->push_back(static_cast<char>(kCharacterBytes[c]));
  }
  return true;
}

}  // namespace deberta::tokenizer
