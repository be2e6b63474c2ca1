// The Unigram tokenizer that transformers 5 makes of any DeBERTa v2 files
// (models/deberta_v2/tokenization_deberta_v2.py): of what they say of the
// normaliser, pre-tokenizer and decoder nothing is left, the character map
// included (spec 5.3, profile hf5).

#ifndef TOKENIZER_FILES_HF5_UNIGRAM_H_
#define TOKENIZER_FILES_HF5_UNIGRAM_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tokenizer/segmentation/hf_unigram.h"

namespace deberta::tokenizer {

// What tokenizer_config.json says.
struct Hf5Settings {
  bool do_lower_case = false;
  bool split_by_punct = false;
  bool add_prefix_space = true;
  std::string unk_token = "[UNK]";
  // Counts if the vocabulary has no `unk_token` with a score of 0.
  int32_t unk_id = 1;
};

UnigramOptions MakeHf5Unigram(
    std::vector<std::pair<std::string, double>> pieces,
    const Hf5Settings& settings);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_HF5_UNIGRAM_H_
