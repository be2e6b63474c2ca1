// A model of the SentencePiece library, as its file spm.model has it
// (sentencepiece_model.proto): what the tokenizer needs of it.

#ifndef TOKENIZER_SEGMENTATION_SENTENCEPIECE_MODEL_H_
#define TOKENIZER_SEGMENTATION_SENTENCEPIECE_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace deberta::tokenizer {

struct SentencePieceModel {
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
  static constexpr int32_t kBpeModelType = 2;

  // An id is a position in this list.
  std::vector<Piece> pieces;

  // trainer_spec
  int32_t model_type = kUnigramModelType;
  int32_t unk_id = 0;
  bool byte_fallback = false;
  bool treat_whitespace_as_suffix = false;
  std::string unk_piece = "<unk>";
  std::string unk_surface = " \u2047 ";  // what an unknown piece decodes to

  // normalizer_spec
  std::string normalizer_name;
  std::string precompiled_charsmap;  // raw bytes; see charsmap.h
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;

  // denormalizer_spec: decoded text is normalised by a map of its own.
  bool has_denormalizer = false;

  // InvalidArgument if it is neither Unigram nor BPE.
  absl::Status CheckType() const;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_SENTENCEPIECE_MODEL_H_
