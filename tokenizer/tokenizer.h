// Text in, ids and offsets out, equal to what the profile's reference gives
// (files/profile.h), for DeBERTa v1 (byte-level BPE) and v2, v3 and mDeBERTa
// (Unigram).
//
// A constructed Tokenizer is immutable; all methods may be called from several
// threads at once. Texts are UTF-8; invalid bytes are InvalidArgument, never
// undefined. Time and memory are linear in the text.

#ifndef TOKENIZER_TOKENIZER_H_
#define TOKENIZER_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/encoding/encoding.h"
#include "tokenizer/encoding/post_processor.h"
#include "tokenizer/encoding/word_start.h"
#include "tokenizer/files/profile.h"
#include "tokenizer/special_tokens/special_token_ids.h"

namespace deberta::tokenizer {

// The two steps that differ between the families: everything between added
// tokens (normalise, pre-tokenise, model) and its inverse.
class Segmenter;        // tokenizer/segmentation/segmenter.h
struct NormalizedText;  // tokenizer/normalization/normalized_text.h
class AddedTokens;      // tokenizer/special_tokens/added_tokens.h
class SlowAddedTokens;  // tokenizer/special_tokens/slow_added_tokens.h

class Tokenizer {
 public:
  struct Options {
    Profile profile = Profile::kHf4;
    // Why it is this one, for people; empty where it was asked for.
    std::string profile_reason = {};
    SpecialTokenIds special_ids = {};
    // Absent: DebertaTemplate() of special_ids.
    std::optional<PostProcessor> post_processor = {};
    // transformers' all_special_ids: of the named and the additional special
    // tokens.
    std::vector<int32_t> all_special_ids = {};
    // tokenizer_config.json's model_max_length; absent where the file has none
    // or the "very large integer" that stands for none.
    std::optional<int64_t> model_max_length;
    // Decode() also applies the ten clean-up replacements (" ." -> ".", ...).
    bool clean_up_tokenization_spaces = false;
    // False where "model_input_names" leaves out the types: models then read
    // type 0 everywhere, and so do encodings.
    bool token_type_ids = true;
    // Of tokenizer_config.json. On the left, question answering puts the
    // context before the question.
    Side padding_side = Side::kRight;
    // The side that truncation takes tokens from.
    Side truncation_side = Side::kRight;
    // Most memory that Tokenize() may take, about: see WorkingBytes().
    size_t max_working_bytes = std::numeric_limits<size_t>::max();
  };

  Tokenizer(Options options, std::unique_ptr<const Segmenter> segmenter,
            std::unique_ptr<const AddedTokens> special_tokens);
  // Texts are cut and decoded by `slow_added_tokens`; `special_tokens` only
  // translates ids.
  Tokenizer(Options options, std::unique_ptr<const Segmenter> segmenter,
            std::unique_ptr<const AddedTokens> special_tokens,
            std::unique_ptr<const SlowAddedTokens> slow_added_tokens);
  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  // The tokens of `text` without [CLS] and [SEP]. Special tokens that stand
  // literally in the text are recognised, as the reference does. Also
  // InvalidArgument where that would take more memory than it may.
  absl::StatusOr<TokenSequence> Tokenize(std::string_view text) const;

  // The tokens of a text that is cut into words already (`is_split_into_words`
  // of the reference): each word is tokenized as a text of its own, and offsets
  // count from its start. `words` of the result are indices into `words`.
  // Errors as Tokenize().
  absl::StatusOr<TokenSequence> TokenizeWords(
      std::span<const std::string_view> words) const;

  // The most memory that Tokenize() has at a time for a long text, about: found
  // by tokenizing it in parts, since a character may become eighteen and a word
  // as long as the text. 0 for a short one; of one that takes more than
  // max_working_bytes, only that it does.
  size_t WorkingBytes(std::string_view text) const;

  // The tokens of one text, or of two, in the post-processor's template. `b`
  // may be null.
  Encoding Assemble(const TokenSequence& a, const TokenSequence* b) const;

  // Special tokens that Assemble() adds to one text, or to a pair.
  size_t template_tokens(bool is_pair) const {
    return SpecialTokenCount(post_processor_.For(is_pair));
  }

  // The largest type that Assemble() gives.
  int32_t max_type_id(bool is_pair) const;

  // The methods of transformers' tokenizers, as 4.57 has them. `b` is absent
  // for a single sequence.
  std::vector<int32_t> BuildInputsWithSpecialTokens(
      std::span<const int32_t> a,
      std::optional<std::span<const int32_t>> b = std::nullopt) const;
  std::vector<int32_t> CreateTokenTypeIdsFromSequences(
      std::span<const int32_t> a,
      std::optional<std::span<const int32_t>> b = std::nullopt) const;
  // 1 where BuildInputsWithSpecialTokens() adds a token.
  std::vector<int32_t> GetSpecialTokensMask(
      std::span<const int32_t> a,
      std::optional<std::span<const int32_t>> b = std::nullopt) const;
  // The form with already_has_special_tokens: 1 where an id is that of any
  // special token, whether the template added it or not.
  std::vector<int32_t> GetSpecialTokensMaskOf(
      std::span<const int32_t> ids) const;

  // The text of `ids`; byte pieces that do not form UTF-8 become U+FFFD. With
  // `skip_special_tokens`, special tokens are left out. Ids outside the
  // vocabulary decode to nothing.
  std::string Decode(std::span<const int32_t> ids,
                     bool skip_special_tokens) const;

  // The vocabulary string of an id ("▁name", "Ġname", "[CLS]"); "" for ids
  // outside the vocabulary.
  std::string_view IdToToken(int32_t id) const;

  // Whether the id is that of a special token, which Decode() can skip.
  bool IsSpecial(int32_t id) const;

  // Exact vocabulary look-up, added tokens included.
  std::optional<int32_t> TokenToId(std::string_view token) const;

  Profile profile() const { return options_.profile; }
  const std::string& profile_reason() const { return options_.profile_reason; }
  const SpecialTokenIds& special_ids() const { return options_.special_ids; }
  std::optional<int64_t> model_max_length() const {
    return options_.model_max_length;
  }
  Side padding_side() const { return options_.padding_side; }
  Side truncation_side() const { return options_.truncation_side; }
  // Of the tokens outside the template.
  WordStart word_start() const;
  // Whether the reference's tokenizer runs in Python, which cuts pairs a little
  // otherwise.
  bool runs_in_python() const;
  // One more than the largest id.
  int32_t vocab_size() const;
  // The same of pieces that texts are cut into, without added tokens.
  int32_t piece_vocab_size() const;
  // Heap bytes held by the vocabulary, roughly.
  size_t resident_bytes() const;

 private:
  TokenSequence TokenizeFast(std::string_view text) const;
  TokenSequence TokenizeSlow(std::string_view text) const;
  // An added token that was found as `text`.
  void AppendAdded(int32_t id, std::string_view text, Span span, int32_t word,
                   TokenSequence* out) const;
  // Of `text`, whose offsets are `out`'s from `begin` on.
  void TrimOffsets(const TokenSequence& text, size_t begin, bool keeps_first,
                   Encoding* out) const;
  void AppendText(const TokenSequence& text, const TemplatePiece& piece,
                  Encoding* out) const;
  void SegmentNormalized(const NormalizedText& normalized, int32_t* next_word,
                         TokenSequence* out) const;

  const Options options_;
  const PostProcessor post_processor_;
  const std::unique_ptr<const Segmenter> segmenter_;
  const std::unique_ptr<const AddedTokens> added_tokens_;
  const std::unique_ptr<const SlowAddedTokens> slow_added_tokens_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TOKENIZER_H_
