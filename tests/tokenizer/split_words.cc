// Cuts the texts of standard input into words, and tokenizes each word, for
// comparison with the reference (tests/conformance/words.py).
//
//   split_words [DIRECTORY | --gliner2] < texts > words
//
// A text is its bytes' number, int32 little-endian, and its bytes. For each,
// int32 little-endian: the number of words n, n starts and n ends in code
// points; with a tokenizer's directory then the number of tokens m, m ids and m
// numbers of words; with --gliner2, which cuts as that does, in their place
// the code points of the words in lower case.

#include <cstdint>
#include <cstring>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/loader.h"
#include "tokenizer/text/lower_case.h"
#include "tokenizer/text/text_index.h"
#include "tokenizer/text/unicode.h"
#include "tokenizer/text/words.h"
#include "tokenizer/tokenizer.h"

namespace {

using deberta::tokenizer::Span;
using deberta::tokenizer::TextIndex;
using deberta::tokenizer::Tokenizer;
using deberta::tokenizer::TokenSequence;

void Write(int64_t value) {
  const auto bits = static_cast<int32_t>(value);
  std::cout.write(reinterpret_cast<const char*>(&bits), sizeof(bits));
}

void WriteWords(const std::vector<Span>& words) {
  Write(static_cast<int64_t>(words.size()));
  for (const Span word : words) Write(word.start);
  for (const Span word : words) Write(word.end);
}

void WriteTokens(const TokenSequence& tokens) {
  Write(static_cast<int64_t>(tokens.size()));
  for (const int32_t id : tokens.ids) Write(id);
  for (const int32_t word : tokens.words) Write(word);
}

void WriteLower(const std::vector<std::string_view>& words) {
  TokenSequence lower;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string text = deberta::tokenizer::PythonLower(words[i]);
    for (size_t at = 0; at < text.size();) {
      lower.ids.push_back(
          static_cast<int32_t>(deberta::tokenizer::DecodeUtf8(text, &at)));
      lower.words.push_back(static_cast<int32_t>(i));
    }
  }
  WriteTokens(lower);
}

int Run(const Tokenizer* tokenizer, bool gliner2) {
  const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
  std::string_view rest = input;
  int32_t bytes = 0;
  while (rest.size() >= sizeof(bytes)) {
    std::memcpy(&bytes, rest.data(), sizeof(bytes));
    rest.remove_prefix(sizeof(bytes));
    if (bytes < 0 || static_cast<size_t>(bytes) > rest.size()) break;
    const std::string_view text = rest.substr(0, static_cast<size_t>(bytes));
    rest.remove_prefix(text.size());
    const std::vector<Span> words = gliner2
                                        ? deberta::tokenizer::Gliner2Words(text)
                                        : deberta::tokenizer::GlinerWords(text);
    WriteWords(words);
    if (tokenizer == nullptr && !gliner2) continue;
    const TextIndex index(text);
    std::vector<std::string_view> views;
    for (const Span word : words) views.push_back(index.Text(word));
    if (gliner2) {
      WriteLower(views);
      continue;
    }
    const auto tokens = tokenizer->TokenizeWords(views);
    if (!tokens.ok()) {
      std::cerr << tokens.status() << "\n";
      return 1;
    }
    WriteTokens(*tokens);
  }
  return rest.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return Run(nullptr, false);
  if (std::string_view(argv[1]) == "--gliner2") return Run(nullptr, true);
  const auto tokenizer = deberta::tokenizer::LoadTokenizer(argv[1], {});
  if (!tokenizer.ok()) {
    std::cerr << tokenizer.status() << "\n";
    return 1;
  }
  return Run(tokenizer->get(), false);
}
