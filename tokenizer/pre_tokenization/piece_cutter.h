// Cuts a piece at its delimiters.

#ifndef TOKENIZER_PRE_TOKENIZATION_PIECE_CUTTER_H_
#define TOKENIZER_PRE_TOKENIZATION_PIECE_CUTTER_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "tokenizer/pre_tokenization/pre_tokenizer.h"
#include "tokenizer/text/span.h"

namespace deberta::tokenizer {

// A piece on its way through a step.
struct PieceView {
  std::string_view text;
  std::span<const Span> spans;  // [text.size()]
};

inline void AppendPiece(const PieceView& piece, size_t begin, size_t end,
                        PreTokenizedText* out) {
  if (begin == end) return;
  out->text.text.append(piece.text.substr(begin, end - begin));
  const auto spans = piece.spans.subspan(begin, end - begin);
  out->text.spans.insert(out->text.spans.end(), spans.begin(), spans.end());
  out->ends.push_back(out->text.text.size());
}

// Told the parts of `piece` from left to right, delimiters and what is between
// them.
class PieceCutter {
 public:
  PieceCutter(PreTokenizer::Behavior behavior, const PieceView& piece,
              PreTokenizedText* out)
      : behavior_(behavior), piece_(piece), out_(out) {}
  ~PieceCutter() { Flush(); }
  PieceCutter(const PieceCutter&) = delete;
  PieceCutter& operator=(const PieceCutter&) = delete;

  void Add(size_t begin, size_t end, bool is_delimiter) {
    if (begin == end) return;
    if (is_delimiter && behavior_ == PreTokenizer::Behavior::kRemoved) {
      Flush();
      begin_ = end_ = end;
      return;
    }
    if (!GoesOn(is_delimiter)) {
      Flush();
      begin_ = begin;
    }
    end_ = end;
    last_is_delimiter_ = is_delimiter;
  }

 private:
  bool GoesOn(bool is_delimiter) const {
    if (begin_ == end_) return false;
    switch (behavior_) {
      case PreTokenizer::Behavior::kContiguous:
        return is_delimiter == last_is_delimiter_;
      case PreTokenizer::Behavior::kMergedWithPrevious:
        return is_delimiter && !last_is_delimiter_;
      case PreTokenizer::Behavior::kMergedWithNext:
        return !is_delimiter && last_is_delimiter_;
      case PreTokenizer::Behavior::kRemoved:
      case PreTokenizer::Behavior::kIsolated:
        return false;
    }
    return false;
  }

  void Flush() {
    AppendPiece(piece_, begin_, end_, out_);
    begin_ = end_;
  }

  const PreTokenizer::Behavior behavior_;
  const PieceView piece_;
  PreTokenizedText* const out_;
  size_t begin_ = 0;  // of what is not yet a piece
  size_t end_ = 0;
  bool last_is_delimiter_ = false;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_PRE_TOKENIZATION_PIECE_CUTTER_H_
