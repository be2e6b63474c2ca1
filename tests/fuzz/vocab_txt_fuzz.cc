// Whatever vocab.txt and the files beside it hold, they are refused or make a
// tokenizer that keeps its promises. The input is vocab.txt,
// tokenizer_config.json, special_tokens_map.json and added_tokens.json with a
// byte FF between; later ones may be missing.

#include <cstddef>
#include <cstdint>

#include "tests/fuzz/file_parts.h"
#include "tests/fuzz/tokenizer_invariants.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  using namespace deberta::tokenizer;
  FileParts parts(input, size);
  TokenizerFiles files;
  files.source = TokenizerSource::kVocabTxt;
  files.model = parts.Next().value_or("");
  parts.NextSideFiles(&files);
  // Without the class there is nothing but a refusal.
  if (!files.tokenizer_config.has_value()) {
    files.tokenizer_config = R"({"tokenizer_class": "BertTokenizer"})";
  }
  CheckFiles(files, Profile::kHf4);
  CheckFiles(files, Profile::kHf5);
  return 0;
}
