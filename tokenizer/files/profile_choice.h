// Which version of transformers saved a directory, and so which profile answers
// as it would.

#ifndef TOKENIZER_FILES_PROFILE_CHOICE_H_
#define TOKENIZER_FILES_PROFILE_CHOICE_H_

#include <string>

#include "tokenizer/files/json_reader.h"
#include "tokenizer/files/profile.h"

namespace deberta::tokenizer {

struct ProfileChoice {
  Profile profile = Profile::kHf4;
  std::string reason = {};  // for people
};

// kHf5 if any file says that version 5 or later wrote it, else kHf4. Version 5
// reads each directory alike, whoever saved it; so does 4.57: the one that the
// model was trained or at least saved with is right.
//
// `tokenizer_config` and `config` (config.json) may be empty documents, and
// `tokenizer_json` null where there is no such file. What is malformed is noted
// in the documents.
ProfileChoice ChooseProfile(const JsonDocument& tokenizer_config,
                            const JsonDocument& config,
                            const JsonDocument* tokenizer_json);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_PROFILE_CHOICE_H_
