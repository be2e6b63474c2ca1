#include "tokenizer/segmentation/byte_level_bpe.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/pre_tokenization/byte_level.h"
#include "tokenizer/text/absl_view.h"
#include "tokenizer/text/excerpt.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

size_t CharacterLength(char byte) { return ByteCharacter(byte) < 0x80 ? 1 : 2; }

}  // namespace

struct ByteLevelBpe::Workspace : BpeMerges::Workspace {
  bool dropped = false;  // a byte has no symbol
};

absl::StatusOr<std::unique_ptr<ByteLevelBpe>> ByteLevelBpe::Create(
    const ByteLevelBpeOptions& options) {
  std::unique_ptr<ByteLevelBpe> bpe(new ByteLevelBpe());
  bpe->add_prefix_space_ = options.add_prefix_space;
  absl::StatusOr<Vocabulary> vocabulary =
      Vocabulary::Create(options.vocabulary);
  if (!vocabulary.ok()) return vocabulary.status();
  bpe->vocabulary_ = *std::move(vocabulary);
  if (absl::Status status = bpe->FindBytes(options); !status.ok()) {
    return status;
  }
  if (absl::Status status = bpe->merges_.Add(options.merges, /*prefix_bytes=*/0,
                                             bpe->vocabulary_);
      !status.ok()) {
    return status;
  }
  bpe->FindWholeWords();
  return bpe;
}

absl::Status ByteLevelBpe::FindBytes(const ByteLevelBpeOptions& options) {
  int32_t unk_id = -1;
  if (options.unk_token.has_value()) {
    const std::optional<int32_t> found = TokenToId(*options.unk_token);
    if (!found.has_value() || options.unk_token->empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("unk_token: expected a token of the vocabulary, got \"",
                       Excerpt(*options.unk_token), "\""));
    }
    unk_id = *found;
  }
  for (size_t b = 0; b < 256; ++b) {
    std::string character;
    AppendUtf8(ByteCharacter(static_cast<char>(b)), &character);
    byte_ids_[b] = TokenToId(character).value_or(unk_id);
  }
  return absl::OkStatus();
}

void ByteLevelBpe::FindWholeWords() {
  const std::span<const std::string_view> tokens = vocabulary_.tokens();
  size_t bytes = 0;
  for (const std::string_view token : tokens) bytes += token.size();
  whole_text_.reserve(bytes);
  Workspace workspace;
  for (size_t id = 0; id < tokens.size(); ++id) {
    const size_t begin = whole_text_.size();
    if (tokens[id].empty() || !AppendBytes(tokens[id], &whole_text_)) continue;
    const std::string_view word = std::string_view(whole_text_).substr(begin);
    Merge(word, &workspace);
    if (workspace.symbols.size() == 1 &&
        workspace.symbols[0].id == static_cast<int32_t>(id)) {
      whole_words_.emplace(ToAbsl(word), static_cast<int32_t>(id));
    } else {
      whole_text_.resize(begin);
    }
  }
}

NormalizedText ByteLevelBpe::Normalize(std::string_view stretch,
                                       uint32_t first_code_point) const {
  return AlignToItself(stretch, first_code_point);
}

void ByteLevelBpe::Segment(const NormalizedText& normalized, int32_t* next_word,
                           TokenSequence* out) const {
  if (normalized.text.empty()) return;
  std::string_view text = normalized.text;
  std::span<const Span> spans = normalized.spans;
  NormalizedText prefixed;
  if (add_prefix_space_ && text[0] != ' ') {
    prefixed.text.assign(" ").append(text);
    // The space has the span of the character that it precedes.
    prefixed.spans.assign(1, spans[0]);
    prefixed.spans.insert(prefixed.spans.end(), spans.begin(), spans.end());
    text = prefixed.text;
    spans = prefixed.spans;
  }
  Workspace workspace;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = PieceEnd(text, begin);
    AppendWord(text.substr(begin, end - begin),
               spans.subspan(begin, end - begin), (*next_word)++, &workspace,
               out);
    begin = end;
  }
}

void ByteLevelBpe::AppendWord(std::string_view word,
                              std::span<const Span> spans, int32_t word_index,
                              Workspace* workspace, TokenSequence* out) const {
  if (const auto whole = whole_words_.find(ToAbsl(word));
      whole != whole_words_.end()) {
    out->ids.push_back(whole->second);
    out->offsets.push_back({spans.front().start, spans.back().end});
    out->words.push_back(word_index);
    return;
  }
  Merge(word, workspace);
  if (workspace->dropped) {
    AppendShifted(word, spans, word_index, *workspace, out);
    return;
  }
  size_t begin = 0;
  for (const BpeMerges::Symbol& symbol : workspace->symbols) {
    const size_t end = begin + symbol.bytes;
    out->ids.push_back(symbol.id);
    out->offsets.push_back({spans[begin].start, spans[end - 1].end});
    out->words.push_back(word_index);
    begin = end;
  }
}

// The reference counts offsets over the bytes of the symbols it has kept, in
// their printable spelling, so that a dropped byte moves all later offsets.
void ByteLevelBpe::AppendShifted(std::string_view word,
                                 std::span<const Span> spans,
                                 int32_t word_index, const Workspace& workspace,
                                 TokenSequence* out) const {
  std::vector<Span> spelled;  // a span for each byte of the spelling
  for (size_t i = 0; i < word.size(); ++i) {
    spelled.insert(spelled.end(), CharacterLength(word[i]), spans[i]);
  }
  size_t begin = 0;
  for (const BpeMerges::Symbol& symbol : workspace.symbols) {
    const size_t end = begin + vocabulary_.IdToToken(symbol.id).size();
    out->ids.push_back(symbol.id);
    out->offsets.push_back({spelled[begin].start, spelled[end - 1].end});
    out->words.push_back(word_index);
    begin = end;
  }
}

void ByteLevelBpe::Merge(std::string_view word, Workspace* workspace) const {
  workspace->symbols.clear();
  for (const char c : word) {
    const int32_t id = byte_ids_[static_cast<unsigned char>(c)];
    if (id >= 0) workspace->symbols.push_back({id, 1});
  }
  workspace->dropped = workspace->symbols.size() < word.size();
  merges_.Merge(workspace);
}

std::string ByteLevelBpe::Decode(
    std::span<const std::string_view> tokens) const {
  std::string bytes;
  for (const std::string_view token : tokens) {
    if (!AppendBytes(token, &bytes)) bytes.append(token);
  }
  return ReplaceInvalidUtf8(bytes);
}

std::optional<int32_t> ByteLevelBpe::TokenToId(std::string_view token) const {
  return vocabulary_.TokenToId(token);
}

std::string_view ByteLevelBpe::IdToToken(int32_t id) const {
  return vocabulary_.IdToToken(id);
}

size_t ByteLevelBpe::resident_bytes() const {
  return vocabulary_.resident_bytes() + merges_.resident_bytes() +
         whole_text_.capacity() +
         whole_words_.capacity() * (sizeof(*whole_words_.begin()) + 1);
}

}  // namespace deberta::tokenizer
