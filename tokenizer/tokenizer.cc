#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tokenizer/encoding/token_ends.h"
#include "tokenizer/segmentation/segmenter.h"
#include "tokenizer/special_tokens/added_tokens.h"
#include "tokenizer/special_tokens/slow_added_tokens.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

// Positions in a text as code points, found by walking from the last one asked.
class CodePointCursor {
 public:
  explicit CodePointCursor(std::string_view text) : text_(text) {}

  // REQUIRES: `byte` is a character boundary.
  uint32_t At(size_t byte) {
    const size_t first = std::min(byte, byte_);
    const size_t count =
        CountCodePoints(text_.substr(first, std::max(byte, byte_) - first));
    const auto distance = static_cast<uint32_t>(count);
    code_point_ += byte < byte_ ? 0 - distance : distance;
    byte_ = byte;
    return code_point_;
  }

 private:
  const std::string_view text_;
  size_t byte_ = 0;
  uint32_t code_point_ = 0;
};

void Append(int32_t id, Span span, int32_t word, TokenSequence* out) {
  out->ids.push_back(id);
  out->offsets.push_back(span);
  out->words.push_back(word);
}

NormalizedText SubText(const NormalizedText& text, size_t begin, size_t end) {
  return {.text = text.text.substr(begin, end - begin),
          .spans = {text.spans.data() + begin, text.spans.data() + end}};
}

// Special tokens of a template.
void AppendSpecial(const TemplatePiece& piece, Encoding* out) {
  for (const int32_t id : piece.ids) {
    out->ids.push_back(id);
    out->special_tokens_mask.push_back(1);
    out->offsets.push_back({});
    out->sequence_ids.push_back(Encoding::kNoSequence);
    out->words.push_back(-1);
  }
}

// The ten replacements of transformers' clean_up_tokenization, each over the
// result of the one before.
std::string CleanUp(std::string text) {
  static constexpr std::pair<const char*, const char*> kReplacements[] = {
      {" .", "."},     {" ?", "?"},     {" !", "!"},   {" ,", ","},
      {" ' ", "'"},    {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"},
      {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& replacement : kReplacements) {
    text = absl::StrReplaceAll(text, {replacement});
  }
  return text;
}

}  // namespace

Tokenizer::Tokenizer(Options options,
                     std::unique_ptr<const Segmenter> segmenter,
                     std::unique_ptr<const AddedTokens> special_tokens,
                     std::unique_ptr<const SlowAddedTokens> slow)
    : options_(std::move(options)),
      post_processor_(options_.post_processor.value_or(
          DebertaTemplate(options_.special_ids.cls, options_.special_ids.sep))),
      segmenter_(std::move(segmenter)),
      added_tokens_(std::move(special_tokens)),
      slow_added_tokens_(std::move(slow)) {}

Tokenizer::Tokenizer(Options options,
                     std::unique_ptr<const Segmenter> segmenter,
                     std::unique_ptr<const AddedTokens> special_tokens)
    : Tokenizer(std::move(options), std::move(segmenter),
                std::move(special_tokens), nullptr) {}

Tokenizer::~Tokenizer() = default;

WordStart Tokenizer::word_start() const { return segmenter_->word_start(); }

bool Tokenizer::runs_in_python() const {
  return slow_added_tokens_ != nullptr || word_start() == WordStart::kEvery;
}

absl::StatusOr<TokenSequence> Tokenizer::Tokenize(std::string_view text) const {
  if (text.size() > std::numeric_limits<int32_t>::max()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "text: expected less than 2 GiB, got ", text.size(), " bytes"));
  }
  if (const std::optional<size_t> invalid = FindInvalidUtf8(text)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "text: expected UTF-8, got an invalid byte at offset ", *invalid));
  }
  // To find what it takes is as much work again.
  const bool bounded =
      options_.max_working_bytes < std::numeric_limits<size_t>::max();
  if (bounded && WorkingBytes(text) > options_.max_working_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "text: its tokens would take more than ", options_.max_working_bytes,
        " bytes of memory to find: expected a shorter text"));
  }
  return slow_added_tokens_ == nullptr ? TokenizeFast(text)
                                       : TokenizeSlow(text);
}

absl::StatusOr<TokenSequence> Tokenizer::TokenizeWords(
    std::span<const std::string_view> words) const {
  TokenSequence all;
  for (size_t i = 0; i < words.size(); ++i) {
    absl::StatusOr<TokenSequence> word = Tokenize(words[i]);
    if (!word.ok()) return word.status();
    all.ids.insert(all.ids.end(), word->ids.begin(), word->ids.end());
    all.offsets.insert(all.offsets.end(), word->offsets.begin(),
                       word->offsets.end());
    for (const TokenSequence::OwnEnds& own : word->own_ends) {
      all.own_ends.push_back(
          {.token = all.words.size() + own.token, .ends = own.ends});
    }
    all.words.resize(all.size(), static_cast<int32_t>(i));
  }
  return all;
}

size_t Tokenizer::WorkingBytes(std::string_view text) const {
  constexpr size_t kShort = size_t{256} << 10;
  constexpr size_t kPart = size_t{64} << 10;
  // Measured, on texts of one letter, of no spaces, of characters that grow.
  constexpr size_t kPerNormalizedByte = 18;  // the text, and where it came from
  constexpr size_t kPerToken = 36;           // with the lists' growth
  constexpr size_t kPerByteOfWord = 50;      // the paths through it
  if (text.size() <= kShort) return 0;
  size_t normalized = 0;
  size_t tokens = 0;
  size_t longest_word = 0;
  size_t word = 0;
  const auto bytes = [&] {
    return normalized * kPerNormalizedByte + tokens * kPerToken +
           (longest_word > kPart ? longest_word * kPerByteOfWord : 0);
  };
  for (size_t begin = 0, end = 0;
       begin < text.size() && bytes() <= options_.max_working_bytes;
       begin = end) {
    end = std::min(begin + kPart, text.size());
    while (end < text.size() && IsUtf8Continuation(text[end])) ++end;
    const NormalizedText part =
        segmenter_->Normalize(text.substr(begin, end - begin), 0);
    normalized += part.text.size();
    TokenSequence found;
    int32_t words = 0;
    segmenter_->Segment(part, &words, &found);
    tokens += found.size();
    // A part of one word goes on with those before it.
    word = words <= 1 ? word + part.text.size() : part.text.size();
    longest_word = std::max(longest_word, word);
  }
  return bytes();
}

TokenSequence Tokenizer::TokenizeSlow(std::string_view text) const {
  TokenSequence tokens;
  int32_t next_word = 0;
  for (const SlowAddedTokens::Stretch& stretch :
       slow_added_tokens_->Split(text, *segmenter_)) {
    if (stretch.id < 0) {
      segmenter_->Segment(stretch.text, &next_word, &tokens);
      continue;
    }
    const std::vector<Span>& spans = stretch.text.spans;
    Append(stretch.id, {spans.front().start, spans.back().end}, next_word++,
           &tokens);
  }
  return tokens;
}

TokenSequence Tokenizer::TokenizeFast(std::string_view text) const {
  TokenSequence tokens;
  int32_t next_word = 0;
  CodePointCursor cursor(text);
  for (const TextPiece& piece : added_tokens_->Split(text, false)) {
    const uint32_t start = cursor.At(piece.begin);
    if (piece.id >= 0) {
      AppendAdded(piece.id, text.substr(piece.begin, piece.end - piece.begin),
                  {start, cursor.At(piece.end)}, next_word++, &tokens);
      continue;
    }
    const NormalizedText normalized = segmenter_->Normalize(
        text.substr(piece.begin, piece.end - piece.begin), start);
    SegmentNormalized(normalized, &next_word, &tokens);
  }
  return tokens;
}

void Tokenizer::SegmentNormalized(const NormalizedText& normalized,
                                  int32_t* next_word,
                                  TokenSequence* out) const {
  const std::vector<TextPiece> pieces =
      added_tokens_->Split(normalized.text, true);
  for (const TextPiece& piece : pieces) {
    if (piece.id >= 0) {
      AppendAdded(piece.id,
                  std::string_view(normalized.text)
                      .substr(piece.begin, piece.end - piece.begin),
                  {normalized.spans[piece.begin].start,
                   normalized.spans[piece.end - 1].end},
                  (*next_word)++, out);
    } else if (pieces.size() == 1) {
      segmenter_->Segment(normalized, next_word, out);
    } else {
      segmenter_->Segment(SubText(normalized, piece.begin, piece.end),
                          next_word, out);
    }
  }
}

// Its text includes the white space that it took.
void Tokenizer::AppendAdded(int32_t id, std::string_view text, Span span,
                            int32_t word, TokenSequence* out) const {
  if (!post_processor_.offset_trims.empty()) {
    const TokenEnds ends = WhiteSpaceEnds(text);
    if (ends != WhiteSpaceEnds(segmenter_->IdToToken(id)))
      out->own_ends.push_back({.token = out->size(), .ends = ends});
  }
  Append(id, span, word, out);
}

void Tokenizer::TrimOffsets(const TokenSequence& text, size_t begin,
                            bool keeps_first, Encoding* out) const {
  auto own = text.own_ends.begin();
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_own = own != text.own_ends.end() && own->token == i;
    const TokenEnds ends =
        is_own ? (own++)->ends
               : WhiteSpaceEnds(segmenter_->IdToToken(text.ids[i]));
    Span& span = out->offsets[begin + i];
    span = Trim(span, ends, keeps_first && (i == 0 || span.start == 0));
  }
}

void Tokenizer::AppendText(const TokenSequence& text,
                           const TemplatePiece& piece, Encoding* out) const {
  const size_t begin = out->size();
  const size_t size = begin + text.size();
  out->ids.insert(out->ids.end(), text.ids.begin(), text.ids.end());
  out->special_tokens_mask.resize(size, 0);
  out->offsets.insert(out->offsets.end(), text.offsets.begin(),
                      text.offsets.end());
  out->sequence_ids.resize(size, piece.sequence);
  out->words.insert(out->words.end(), text.words.begin(), text.words.end());
  for (const bool keeps_first : post_processor_.offset_trims)
    TrimOffsets(text, begin, keeps_first, out);
}

Encoding Tokenizer::Assemble(const TokenSequence& a,
                             const TokenSequence* b) const {
  const Template& pieces = post_processor_.For(b != nullptr);
  Encoding encoding;
  const size_t size =
      a.size() + (b == nullptr ? 0 : b->size()) + template_tokens(b != nullptr);
  encoding.ids.reserve(size);
  encoding.type_ids.reserve(size);
  encoding.special_tokens_mask.reserve(size);
  encoding.offsets.reserve(size);
  encoding.sequence_ids.reserve(size);
  encoding.words.reserve(size);
  for (const TemplatePiece& piece : pieces) {
    if (piece.sequence == Encoding::kNoSequence) {
      AppendSpecial(piece, &encoding);
    } else {
      AppendText(piece.sequence == 0 ? a : *b, piece, &encoding);
    }
    encoding.type_ids.resize(encoding.size(),
                             options_.token_type_ids ? piece.type_id : 0);
  }
  return encoding;
}

int32_t Tokenizer::max_type_id(bool is_pair) const {
  int32_t largest = 0;
  if (!options_.token_type_ids) return largest;
  for (const TemplatePiece& piece : post_processor_.For(is_pair)) {
    largest = std::max(largest, piece.type_id);
  }
  return largest;
}

std::string Tokenizer::Decode(std::span<const int32_t> ids,
                              bool skip_special_tokens) const {
  std::vector<std::string_view> tokens;
  tokens.reserve(ids.size());
  for (const int32_t id : ids) {
    const std::string_view token = IdToToken(id);
    if (token.empty()) continue;
    if (!skip_special_tokens || !IsSpecial(id)) tokens.push_back(token);
  }
  std::string text = slow_added_tokens_ == nullptr
                         ? segmenter_->Decode(tokens)
                         : slow_added_tokens_->Decode(tokens, *segmenter_);
  if (options_.clean_up_tokenization_spaces) text = CleanUp(std::move(text));
  return text;
}

std::string_view Tokenizer::IdToToken(int32_t id) const {
  const std::string_view added = added_tokens_->IdToToken(id);
  return added.empty() ? segmenter_->IdToToken(id) : added;
}

bool Tokenizer::IsSpecial(int32_t id) const {
  return slow_added_tokens_ == nullptr
             ? added_tokens_->IsSpecial(id)
             : slow_added_tokens_->IsSpecial(IdToToken(id));
}

std::optional<int32_t> Tokenizer::TokenToId(std::string_view token) const {
  const std::optional<int32_t> added = added_tokens_->TokenToId(token);
  return added.has_value() ? added : segmenter_->TokenToId(token);
}

int32_t Tokenizer::piece_vocab_size() const { return segmenter_->vocab_size(); }

int32_t Tokenizer::vocab_size() const {
  return std::max(segmenter_->vocab_size(), added_tokens_->id_limit());
}

size_t Tokenizer::resident_bytes() const {
  return segmenter_->resident_bytes() + added_tokens_->resident_bytes() +
         (slow_added_tokens_ == nullptr ? 0
                                        : slow_added_tokens_->resident_bytes());
}

}  // namespace deberta::tokenizer
