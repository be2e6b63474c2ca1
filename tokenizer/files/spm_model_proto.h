// The bytes of spm.model -> a SentencePieceModel: a serialised protobuf message
// (sentencepiece_model.proto), of which the tokenizer needs the pieces and a
// few fields of the other messages.

#ifndef TOKENIZER_FILES_SPM_MODEL_PROTO_H_
#define TOKENIZER_FILES_SPM_MODEL_PROTO_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "tokenizer/segmentation/sentencepiece_model.h"

namespace deberta::tokenizer {

// InvalidArgument, with the byte position, if `bytes` are not such a message,
// if a piece is not UTF-8 or has a score that is no finite number, if there is
// no piece, or if unk_id is none of them. Fields that the tokenizer does not
// need are skipped. The model type is not judged here.
absl::StatusOr<SentencePieceModel> ParseSpmModel(std::string_view bytes);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_SPM_MODEL_PROTO_H_
