// The pieces that SentencePiece's byte fallback spells unknown text with.

#ifndef TOKENIZER_SEGMENTATION_BYTE_PIECE_H_
#define TOKENIZER_SEGMENTATION_BYTE_PIECE_H_

#include <cstdio>
#include <string>

namespace deberta::tokenizer {

// "<0x0A>" for the byte 10.
inline std::string BytePiece(unsigned char byte) {
  char piece[sizeof("<0xNN>")];
  std::snprintf(piece, sizeof(piece), "<0x%02X>", unsigned{byte});
  return piece;
}

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_BYTE_PIECE_H_
