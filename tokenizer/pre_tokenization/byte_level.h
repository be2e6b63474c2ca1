// The pre-tokenizer and the alphabet of byte-level BPE (spec 5.2).

#ifndef TOKENIZER_PRE_TOKENIZATION_BYTE_LEVEL_H_
#define TOKENIZER_PRE_TOKENIZATION_BYTE_LEVEL_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace deberta::tokenizer {

// End of the piece that starts at `begin`, by the regular expression
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// REQUIRES: `text` is valid UTF-8 and begin < text.size().
size_t PieceEnd(std::string_view text, size_t begin);

// The printable character that stands for a byte: the byte's own in Latin-1 if
// it is printable there, else U+0100 and up, in the order of the bytes.
char32_t ByteCharacter(char byte);

// Appends the bytes that the characters of `token` stand for; false, with
// nothing appended, if one stands for none.
// REQUIRES: `token` is valid UTF-8.
bool AppendBytes(std::string_view token, std::string* out);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_PRE_TOKENIZATION_BYTE_LEVEL_H_
