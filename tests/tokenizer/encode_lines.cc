// Tokenizes the lines of standard input, for comparison with the reference
// (tests/conformance/tokenizer_lines.py) and its speed
// (tests/load/compare_tokenizer_speed.py). A line with a tab is a pair of
// texts.
//
//   encode_lines DIRECTORY [--profile=hf4] [--max_length=N] < texts > encodings
//   encode_lines DIRECTORY [--profile=hf4] --time < texts
//
// For each line, int32 little-endian: the number of tokens n, then n ids, n
// starts and n ends of offsets, n type ids, n of the special tokens mask and n
// words. --max_length truncates on the tokenizer's side, pairs the longest
// first. --time prints only the processor's seconds that tokenizing alone took,
// in one thread.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/encoding/truncation.h"
#include "tokenizer/loader.h"
#include "tokenizer/tokenizer.h"

namespace {

using deberta::tokenizer::Encoding;
using deberta::tokenizer::LoadOptions;
using deberta::tokenizer::Side;
using deberta::tokenizer::Slice;
using deberta::tokenizer::Tokenizer;
using deberta::tokenizer::TokenSequence;

struct Arguments {
  std::string directory;
  LoadOptions load;
  size_t max_length = 0;  // 0: no limit
  bool time_only = false;
};

void AppendInt(int64_t value, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8) {
    out->push_back(static_cast<char>(value >> shift & 0xFF));
  }
}

void AppendEncoding(const Encoding& encoding, std::string* out) {
  AppendInt(static_cast<int64_t>(encoding.size()), out);
  for (const int32_t id : encoding.ids) AppendInt(id, out);
  for (const auto& span : encoding.offsets) AppendInt(span.start, out);
  for (const auto& span : encoding.offsets) AppendInt(span.end, out);
  for (const int32_t type : encoding.type_ids) AppendInt(type, out);
  for (const uint8_t mask : encoding.special_tokens_mask) AppendInt(mask, out);
  for (const int32_t word : encoding.words) AppendInt(word, out);
}

// Tokens of the texts themselves that fit.
size_t Room(const Tokenizer& tokenizer, bool is_pair, size_t max_length) {
  if (max_length == 0) return std::numeric_limits<int32_t>::max();
  const size_t special = tokenizer.template_tokens(is_pair);
  return max_length > special ? max_length - special : 0;
}

// Leaves `keep` tokens, on the side that is not truncated.
void Truncate(const Tokenizer& tokenizer, size_t keep,
              TokenSequence& sequence) {
  if (sequence.size() <= keep) return;
  const bool left = tokenizer.truncation_side() == Side::kLeft;
  const size_t begin = left ? sequence.size() - keep : 0;
  sequence = Slice(sequence, begin, begin + keep);
}

absl::StatusOr<Encoding> Encode(const Tokenizer& tokenizer,
                                std::string_view line, size_t max_length) {
  const size_t tab = line.find('\t');
  absl::StatusOr<TokenSequence> a = tokenizer.Tokenize(line.substr(0, tab));
  if (!a.ok()) return a.status();
  if (tab == line.npos) {
    Truncate(tokenizer, Room(tokenizer, /*is_pair=*/false, max_length), *a);
    return tokenizer.Assemble(*a, nullptr);
  }
  absl::StatusOr<TokenSequence> b = tokenizer.Tokenize(line.substr(tab + 1));
  if (!b.ok()) return b.status();
  const auto [keep_a, keep_b] = deberta::tokenizer::TruncateLongestFirst(
      a->size(), b->size(), Room(tokenizer, /*is_pair=*/true, max_length),
      tokenizer.runs_in_python());
  Truncate(tokenizer, keep_a, *a);
  Truncate(tokenizer, keep_b, *b);
  return tokenizer.Assemble(*a, &*b);
}

int Run(const Tokenizer& tokenizer, const Arguments& arguments) {
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  size_t tokens = 0;
  std::string out;
  const std::clock_t start = std::clock();
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const absl::StatusOr<Encoding> encoding =
        Encode(tokenizer, line, arguments.max_length);
    if (!encoding.ok()) {
      std::cerr << encoding.status() << "\n";
      return 1;
    }
    tokens += encoding->size();
    if (arguments.time_only) continue;
    out.clear();
    AppendEncoding(*encoding, &out);
    std::cout.write(out.data(), static_cast<std::streamsize>(out.size()));
  }
  const double seconds =
      static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  if (arguments.time_only) {
    std::printf("%zu bytes %zu tokens %.6f s\n", text.size(), tokens, seconds);
  }
  return 0;
}

bool ParseArgument(std::string_view argument, Arguments* out) {
  constexpr std::string_view kProfile = "--profile=";
  constexpr std::string_view kMaxLength = "--max_length=";
  if (argument == "--time") {
    out->time_only = true;
  } else if (argument.starts_with(kProfile)) {
    const auto profile =
        deberta::tokenizer::ParseProfile(argument.substr(kProfile.size()));
    if (!profile.ok()) return false;
    out->load.profile = *profile;
  } else if (argument.starts_with(kMaxLength)) {
    const std::string value(argument.substr(kMaxLength.size()));
    out->max_length = std::strtoul(value.c_str(), nullptr, 10);
    return out->max_length > 0;
  } else if (argument.starts_with("--") || !out->directory.empty()) {
    return false;
  } else {
    out->directory = argument;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  bool ok = true;
  for (int i = 1; i < argc; ++i) ok = ok && ParseArgument(argv[i], &arguments);
  if (!ok || arguments.directory.empty()) {
    std::cerr << "usage: encode_lines DIRECTORY [--profile=hf4|hf5|spm] "
                 "[--max_length=N] [--time] < texts\n";
    return 2;
  }
  const auto tokenizer =
      deberta::tokenizer::LoadTokenizer(arguments.directory, arguments.load);
  if (!tokenizer.ok()) {
    std::cerr << tokenizer.status() << "\n";
    return 1;
  }
  return Run(**tokenizer, arguments);
}
