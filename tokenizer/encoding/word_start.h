// How transformers' token classification tells the tokens that begin a word.

#ifndef TOKENIZER_ENCODING_WORD_START_H_
#define TOKENIZER_ENCODING_WORD_START_H_

namespace deberta::tokenizer {

enum class WordStart {
  kSpace,     // by a space before it, or as its first character
  kUnmarked,  // as long as its text: a piece that goes on has a mark, "##"
  kEvery,     // each is taken for a word: tokenizers in Python have no offsets
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_ENCODING_WORD_START_H_
