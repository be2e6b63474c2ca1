// Microsoft's bpe_encoder.bin: the vocabulary of v1 models as their own code
// saved it, before vocab.json and merges.txt. Spec 5.1.

#ifndef TOOLS_CONVERT_BPE_ENCODER_H_
#define TOOLS_CONVERT_BPE_ENCODER_H_

#include <cstddef>
#include <span>
#include <string>

#include "absl/status/statusor.h"

namespace deberta::tools {

struct BpeFiles {
  std::string vocab_json;  // ids by token
  std::string merges_txt;  // a pair a line, after a line with the version
};

// `file` is what torch.save wrote of a dict: "encoder" has GPT-2's ids by
// token, "dict_map" those ids as texts in the model's order, "vocab" the pairs
// to merge. Ids of the model: [PAD] [CLS] [SEP] [UNK], dict_map, [MASK].
// InvalidArgument says what is malformed.
absl::StatusOr<BpeFiles> ConvertBpeEncoder(std::span<const std::byte> file);

}  // namespace deberta::tools

#endif  // TOOLS_CONVERT_BPE_ENCODER_H_
