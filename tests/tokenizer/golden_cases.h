// The golden texts, and how encodings are hashed (see golden_test.cc).

#ifndef TESTS_TOKENIZER_GOLDEN_CASES_H_
#define TESTS_TOKENIZER_GOLDEN_CASES_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/encoding/encoding.h"
#include "tokenizer/tokenizer.h"

namespace deberta::tokenizer {

struct Case {
  std::string text;
  std::optional<std::string> pair;
};

// tests/golden.
std::filesystem::path GoldenDirectory();
std::string ReadFile(const std::filesystem::path& path);
std::vector<Case> MakeCases();

void AppendLittleEndian(uint32_t value, std::string* out);
std::string Serialize(const Encoding& encoding);
uint64_t Fnv1a(std::string_view bytes);
// The hash at a position of a file of hashes.
uint64_t HashAt(const std::string& expected, size_t index);

// The first tokens, for a message.
std::string Describe(const Encoding& encoding, const Tokenizer& tokenizer);

}  // namespace deberta::tokenizer

#endif  // TESTS_TOKENIZER_GOLDEN_CASES_H_
