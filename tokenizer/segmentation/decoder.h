// The decoders of a tokenizer.json: tokens -> text, as the `tokenizers` library
// does it.

#ifndef TOKENIZER_SEGMENTATION_DECODER_H_
#define TOKENIZER_SEGMENTATION_DECODER_H_

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tokenizer/pre_tokenization/metaspace.h"

namespace deberta::tokenizer {

// An immutable list of steps over a list of texts, which are joined at last.
class Decoder {
 public:
  struct WordPiece {
    std::string prefix = "##";
    bool cleanup = true;  // no space before punctuation and contractions
  };
  struct BpeSuffix {
    std::string suffix = "</w>";
  };
  struct ByteLevel {};
  struct ByteFallback {};  // <0xNN> becomes the byte
  struct Fuse {};          // one text of all
  struct Replace {
    std::string pattern;  // not empty
    std::string content;
  };
  // At most so many of the character at the ends of each text.
  struct Strip {
    std::string content;
    size_t start = 0;
    size_t stop = 0;
  };
  using Step = std::variant<WordPiece, BpeSuffix, Metaspace, ByteLevel,
                            ByteFallback, Fuse, Replace, Strip>;

  // Without steps the tokens stand apart by spaces.
  explicit Decoder(std::vector<Step> steps) : steps_(std::move(steps)) {}

  // Always UTF-8.
  std::string Decode(std::span<const std::string_view> tokens) const;

 private:
  std::vector<Step> steps_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_DECODER_H_
