// Whatever spm.model holds, it is refused or makes a tokenizer that keeps its
// promises. The input is the file.

#include <cstddef>
#include <cstdint>

#include "tests/fuzz/tokenizer_invariants.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  using namespace deberta::tokenizer;
  TokenizerFiles files;
  files.source = TokenizerSource::kSpm;
  files.model.assign(reinterpret_cast<const char*>(input), size);
  CheckFiles(files, Profile::kHf4);
  CheckFiles(files, Profile::kHf5);
  CheckFiles(files, Profile::kSpm);
  files.tokenizer_config = R"({"do_lower_case": true, "split_by_punct": true})";
  CheckFiles(files, Profile::kHf4);
  CheckFiles(files, Profile::kHf5);
  CheckFiles(files, Profile::kSpm);
  return 0;
}
