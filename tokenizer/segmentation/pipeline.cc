#include "tokenizer/segmentation/pipeline.h"

namespace deberta::tokenizer {

void Pipeline::Segment(const NormalizedText& normalized, int32_t* next_word,
                       TokenSequence* out) const {
  const PreTokenizedText pieces = pre_tokenizer_.Apply(normalized);
  const std::string_view text = pieces.text.text;
  const std::span<const Span> spans = pieces.text.spans;
  size_t begin = 0;
  for (const size_t end : pieces.ends) {
    model_->AppendWord(text.substr(begin, end - begin),
                       spans.subspan(begin, end - begin), (*next_word)++, out);
    begin = end;
  }
}

}  // namespace deberta::tokenizer
