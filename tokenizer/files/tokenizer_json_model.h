// The "model" of a tokenizer.json, where it is BPE or WordPiece.

#ifndef TOKENIZER_FILES_TOKENIZER_JSON_MODEL_H_
#define TOKENIZER_FILES_TOKENIZER_JSON_MODEL_H_

#include "tokenizer/files/json_reader.h"
#include "tokenizer/files/vocab_and_merges.h"
#include "tokenizer/segmentation/bpe.h"
#include "tokenizer/segmentation/word_piece.h"

namespace deberta::tokenizer {

// Both note an error in the document if a field is not as expected, or names
// something that is not implemented.
BpeOptions ReadBpe(const JsonNode& model);
WordPieceOptions ReadWordPiece(const JsonNode& model);

// Merges as "a b" or ["a", "b"].
Merges ReadMerges(const JsonNode& node);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_TOKENIZER_JSON_MODEL_H_
