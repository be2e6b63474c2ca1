// SentencePiece's spelling of spaces, as the `tokenizers` library has it.

#ifndef TOKENIZER_PRE_TOKENIZATION_METASPACE_H_
#define TOKENIZER_PRE_TOKENIZATION_METASPACE_H_

namespace deberta::tokenizer {

// U+0020 -> `replacement`, one prepended, and words cut in front of each.
struct Metaspace {
  enum class PrependScheme {
    kAlways,  // every stretch that does not start with one
    kFirst,   // only the one at the start of the text
    kNever,
  };

  char32_t replacement = U'\u2581';
  PrependScheme prepend_scheme = PrependScheme::kAlways;
  bool split = true;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_PRE_TOKENIZATION_METASPACE_H_
