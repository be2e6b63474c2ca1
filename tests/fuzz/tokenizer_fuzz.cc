// Any text through any of the golden tokenizers and pipelines, in any profile:
// the first byte of the input chooses which.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/fuzz/tokenizer_invariants.h"
#include "tokenizer/loader.h"

namespace {

using deberta::tokenizer::LoadTokenizer;
using deberta::tokenizer::Profile;
using deberta::tokenizer::Tokenizer;

using Tokenizers = std::vector<std::unique_ptr<const Tokenizer>>;

void Load(const std::string& directory, Profile profile, Tokenizers* out) {
  auto tokenizer = LoadTokenizer(
      std::string(DEBERTA_SOURCE_DIR "/tests/golden/") + directory,
      {.profile = profile});
  if (!tokenizer.ok()) {
    std::fprintf(stderr, "%s\n", tokenizer.status().ToString().c_str());
    std::abort();
  }
  out->push_back(*std::move(tokenizer));
}

Tokenizers LoadAll() {
  Tokenizers tokenizers;
  for (const char* name : {"v1", "v1-quirks", "v2-punct", "v3-lower",
                           "v3-multilingual", "mdeberta-folded"}) {
    for (const Profile profile :
         {Profile::kHf4, Profile::kHf5, Profile::kSpm}) {
      const bool v1 = std::string_view(name).starts_with("v1");
      if (v1 && profile == Profile::kSpm) continue;
      Load(std::string("tokenizers/") + name, profile, &tokenizers);
    }
  }
  for (const char* name :
       {"bert-uncased", "bert-odd", "sp-bpe", "sp-bpe-metaspace", "bpe-bytes",
        "bpe-digits", "bpe-suffix", "split-behaviors", "unigram-first",
        "unigram-words", "unigram-scripts", "vocab-txt-cased", "bpe-look-ahead",
        "bpe-line-ends"}) {
    Load(std::string("pipelines/") + name, Profile::kHf4, &tokenizers);
  }
  for (const char* name : {"japanese-characters", "japanese-pieces",
                           "japanese-whole", "japanese-cut"}) {
    Load(std::string("japanese/") + name, Profile::kHf4, &tokenizers);
  }
  return tokenizers;
}

// Loaded before the first input, whose time is limited.
const Tokenizers& AllTokenizers() {
  static const Tokenizers& tokenizers = *new Tokenizers(LoadAll());
  return tokenizers;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  AllTokenizers();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  const Tokenizers& tokenizers = AllTokenizers();
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(input) + 1,
                              size - 1);
  CheckText(*tokenizers[input[0] % tokenizers.size()], text);
  return 0;
}
