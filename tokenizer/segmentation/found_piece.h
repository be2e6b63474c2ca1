// A piece of a SentencePiece model where a text has it.

#ifndef TOKENIZER_SEGMENTATION_FOUND_PIECE_H_
#define TOKENIZER_SEGMENTATION_FOUND_PIECE_H_

#include <cstddef>
#include <cstdint>

namespace deberta::tokenizer {

struct FoundPiece {
  size_t begin;  // bytes, half-open
  size_t end;
  int32_t id;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_FOUND_PIECE_H_
