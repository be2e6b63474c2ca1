#include "tests/tokenizer/golden_cases.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {

namespace fs = std::filesystem;

fs::path GoldenDirectory() {
  return fs::path(DEBERTA_SOURCE_DIR) / "tests/golden";
}

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

namespace {

// `\u{HEX}` -> the code point.
std::string Unescape(std::string_view line) {
  std::string out;
  while (!line.empty()) {
    if (line.starts_with("\\u{")) {
      const size_t end = line.find('}');
      const std::string digits(line.substr(3, end - 3));
      AppendUtf8(static_cast<char32_t>(std::stoul(digits, nullptr, 16)), &out);
      line.remove_prefix(end + 1);
    } else {
      out.push_back(line.front());
      line.remove_prefix(1);
    }
  }
  return out;
}

std::vector<std::string> ReadLines(const char* name) {
  std::istringstream stream(ReadFile(GoldenDirectory() / "texts" / name));
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

std::vector<Case> MakeCases() {
  std::vector<std::string> lines = ReadLines("english.txt");
  for (std::string& line : ReadLines("translations.txt")) {
    lines.push_back(std::move(line));
  }
  std::vector<std::string> hostile;
  for (const std::string& line : ReadLines("hostile.txt")) {
    hostile.push_back(Unescape(line));
  }
  const std::vector<std::string> natural = lines;
  lines.insert(lines.end(), hostile.begin(), hostile.end());

  constexpr size_t kEveryLine = 16;
  constexpr size_t kEveryHostileLine = 4;
  std::vector<Case> cases;
  for (const std::string& line : lines) cases.push_back({line, std::nullopt});
  for (size_t i = 0; i < lines.size(); i += kEveryLine) {
    cases.push_back({lines[i], lines[(i * 7 + 3) % lines.size()]});
  }
  for (size_t i = 0; i < hostile.size(); i += kEveryHostileLine) {
    cases.push_back({hostile[i], natural[i / kEveryHostileLine]});
  }
  return cases;
}

void AppendLittleEndian(uint32_t value, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8) {
    out->push_back(static_cast<char>(value >> shift & 0xFF));
  }
}

std::string Serialize(const Encoding& encoding) {
  std::string out;
  for (size_t i = 0; i < encoding.size(); ++i) {
    AppendLittleEndian(static_cast<uint32_t>(encoding.ids[i]), &out);
    AppendLittleEndian(encoding.offsets[i].start, &out);
    AppendLittleEndian(encoding.offsets[i].end, &out);
    out.push_back(static_cast<char>(encoding.type_ids[i]));
    out.push_back(static_cast<char>(encoding.special_tokens_mask[i]));
    AppendLittleEndian(static_cast<uint32_t>(encoding.words[i]), &out);
  }
  return out;
}

uint64_t Fnv1a(std::string_view bytes) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : bytes) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  }
  return hash;
}

uint64_t HashAt(const std::string& expected, size_t index) {
  uint64_t hash = 0;
  for (size_t i = 0; i < 8; ++i) {
    hash |= static_cast<uint64_t>(
                static_cast<unsigned char>(expected[index * 8 + i]))
            << (8 * i);
  }
  return hash;
}

std::string Describe(const Encoding& encoding, const Tokenizer& tokenizer) {
  std::ostringstream out;
  for (size_t i = 0; i < encoding.size() && i < 60; ++i) {
    out << "\n  " << encoding.ids[i] << " '"
        << tokenizer.IdToToken(encoding.ids[i]) << "' ("
        << encoding.offsets[i].start << ", " << encoding.offsets[i].end
        << ") type " << encoding.type_ids[i] << " special "
        << int{encoding.special_tokens_mask[i]} << " word "
        << encoding.words[i];
  }
  return out.str();
}

}  // namespace deberta::tokenizer
