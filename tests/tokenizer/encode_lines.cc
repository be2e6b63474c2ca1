// Encodes lines of standard input with the tokenizer of a directory and prints
// one JSON array a line, for comparison with the reference
// (tests/golden/compare_tokenizers.py): [ids, offsets, type ids, special
// tokens mask, words]. A line with a tab is a pair of texts.
//
//   encode_lines DIRECTORY [PROFILE] < texts > encodings
//   encode_lines DIRECTORY [PROFILE] --time < texts   # only the speed
//
// PROFILE is hf4 (default), hf5 or spm.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/loader.h"
#include "tokenizer/tokenizer.h"

namespace {

using deberta::tokenizer::Encoding;
using deberta::tokenizer::Tokenizer;
using deberta::tokenizer::TokenSequence;

template <typename Values, typename Print>
void PrintArray(const Values& values, Print print) {
  std::putchar('[');
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) std::putchar(',');
    print(values[i]);
  }
  std::putchar(']');
}

void PrintEncoding(const Encoding& encoding) {
  const auto number = [](auto value) { std::printf("%d", int{value}); };
  std::putchar('[');
  PrintArray(encoding.ids, number);
  std::putchar(',');
  PrintArray(encoding.offsets, [](const deberta::tokenizer::Span& span) {
    std::printf("[%u,%u]", span.start, span.end);
  });
  std::putchar(',');
  PrintArray(encoding.type_ids, number);
  std::putchar(',');
  PrintArray(encoding.special_tokens_mask, number);
  std::putchar(',');
  PrintArray(encoding.words, number);
  std::puts("]");
}

absl::StatusOr<Encoding> Encode(const Tokenizer& tokenizer,
                                std::string_view line) {
  const size_t tab = line.find('\t');
  absl::StatusOr<TokenSequence> a = tokenizer.Tokenize(line.substr(0, tab));
  if (!a.ok()) return a.status();
  if (tab == line.npos) return tokenizer.Assemble(*a, nullptr);
  absl::StatusOr<TokenSequence> b = tokenizer.Tokenize(line.substr(tab + 1));
  if (!b.ok()) return b.status();
  return tokenizer.Assemble(*a, &*b);
}

int Run(const Tokenizer& tokenizer, bool time_only) {
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  size_t tokens = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const absl::StatusOr<Encoding> encoding = Encode(tokenizer, line);
    if (!encoding.ok()) {
      std::cerr << encoding.status() << "\n";
      return 1;
    }
    tokens += encoding->size();
    if (!time_only) PrintEncoding(*encoding);
  }
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - start;
  if (time_only) {
    std::printf("%zu tokens, %zu bytes, %.3f s, %.3g tokens/s\n", tokens,
                text.size(), took.count(),
                static_cast<double>(tokens) / took.count());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool time_only = !arguments.empty() && arguments.back() == "--time";
  if (time_only) arguments.pop_back();
  if (arguments.empty() || arguments.size() > 2) {
    std::cerr << "usage: encode_lines DIRECTORY [PROFILE] [--time] < texts\n";
    return 2;
  }
  deberta::tokenizer::LoadOptions options;
  if (arguments.size() == 2) {
    const auto profile = deberta::tokenizer::ParseProfile(arguments[1]);
    if (!profile.ok()) {
      std::cerr << profile.status() << "\n";
      return 2;
    }
    options.profile = *profile;
  }
  const auto tokenizer =
      deberta::tokenizer::LoadTokenizer(arguments[0], options);
  if (!tokenizer.ok()) {
    std::cerr << tokenizer.status() << "\n";
    return 1;
  }
  return Run(**tokenizer, time_only);
}
