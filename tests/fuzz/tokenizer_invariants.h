// What holds for every tokenizer and every text; aborts where it does not.

#ifndef TESTS_FUZZ_TOKENIZER_INVARIANTS_H_
#define TESTS_FUZZ_TOKENIZER_INVARIANTS_H_

#include <string_view>

#include "tokenizer/files/tokenizer_files.h"
#include "tokenizer/tokenizer.h"

namespace deberta::tokenizer {

// Tokenizes, assembles, decodes and cuts into words `text`, which may be any
// bytes.
void CheckText(const Tokenizer& tokenizer, std::string_view text);

// Builds a tokenizer, which may be refused with a short message, and runs a few
// texts through it that reach most of its parts.
void CheckFiles(const TokenizerFiles& files, Profile profile);

}  // namespace deberta::tokenizer

#endif  // TESTS_FUZZ_TOKENIZER_INVARIANTS_H_
