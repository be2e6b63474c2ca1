// A SentencePiece model file (spm.model): a serialised protobuf message, of
// which the tokenizer needs the pieces and a few fields of two other messages.

#ifndef TOKENIZER_SEGMENTATION_SPM_MODEL_H_
#define TOKENIZER_SEGMENTATION_SPM_MODEL_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace deberta::tokenizer {

struct SpmModel {
  enum class PieceType : int32_t {
    kNormal = 1,
    kUnknown = 2,
    kControl = 3,
    kUserDefined = 4,
    kUnused = 5,
    kByte = 6,
  };

  struct Piece {
    std::string text;
    float score = 0;
    PieceType type = PieceType::kNormal;
  };

  static constexpr int32_t kUnigramModelType = 1;

  // An id is a position in this list.
  std::vector<Piece> pieces;

  // trainer_spec
  int32_t model_type = kUnigramModelType;
  int32_t unk_id = 0;
  bool byte_fallback = false;
  bool treat_whitespace_as_suffix = false;
  std::string unk_surface = " \u2047 ";  // what an unknown piece decodes to

  // normalizer_spec
  std::string normalizer_name;
  std::string precompiled_charsmap;  // raw bytes; see charsmap.h
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;

  // denormalizer_spec: decoded text is normalised by a map of its own.
  bool has_denormalizer = false;
};

// InvalidArgument, with the byte position, if `bytes` are not such a message,
// if a piece is not UTF-8 or has a score that is no finite number, if there is
// no piece, or if unk_id is none of them. Fields that the tokenizer does not
// need are skipped. The model type is not judged here.
absl::StatusOr<SpmModel> ParseSpmModel(std::string_view bytes);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_SPM_MODEL_H_
