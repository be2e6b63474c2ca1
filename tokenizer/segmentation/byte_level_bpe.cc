#include "tokenizer/segmentation/byte_level_bpe.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/segmentation/byte_level.h"
#include "tokenizer/text/excerpt.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

// Up to here the quadratic merge is the faster one.
constexpr size_t kShortWord = 48;

absl::string_view ToAbsl(std::string_view text) {
  return {text.data(), text.size()};
}

size_t CharacterLength(char byte) { return ByteCharacter(byte) < 0x80 ? 1 : 2; }

// The lower of the next of `sorted` and the top of `heap`, removed; at least
// one has something.
uint64_t TakeLowest(std::span<const uint64_t> sorted, size_t* taken,
                    std::vector<uint64_t>* heap) {
  const bool from_sorted = heap->empty() || (*taken < sorted.size() &&
                                             sorted[*taken] < heap->front());
  if (from_sorted) return sorted[(*taken)++];
  const uint64_t top = heap->front();
  std::pop_heap(heap->begin(), heap->end(), std::greater<>());
  heap->pop_back();
  return top;
}

uint64_t PairKey(int32_t left, int32_t right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 |
         static_cast<uint32_t>(right);
}

}  // namespace

// The symbols of one word, and room to merge them. Kept from word to word.
class ByteLevelBpe::Workspace {
 public:
  struct Link {
    uint32_t previous;
    uint32_t next;
  };
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  static constexpr MergeRule kNoRule = {std::numeric_limits<int32_t>::max(),
                                        -1};

  std::vector<Symbol> symbols;
  bool dropped = false;          // a byte has no symbol
  std::vector<MergeRule> rules;  // MergeShort: of symbols i and i + 1
  std::vector<Link> links;       // MergeLong
  // MergeLong, of pairs that can be merged: the rank in the upper half, the
  // position before any merge in the lower; sorted, and a heap.
  std::vector<uint64_t> first;
  std::vector<uint64_t> later;
};

absl::StatusOr<std::unique_ptr<ByteLevelBpe>> ByteLevelBpe::Create(
    const ByteLevelBpeOptions& options) {
  std::unique_ptr<ByteLevelBpe> bpe(new ByteLevelBpe());
  bpe->add_prefix_space_ = options.add_prefix_space;
  if (absl::Status status = bpe->AddTokens(options); !status.ok()) {
    return status;
  }
  if (absl::Status status = bpe->AddMerges(options); !status.ok()) {
    return status;
  }
  bpe->FindWholeWords();
  return bpe;
}

absl::Status ByteLevelBpe::AddTokens(const ByteLevelBpeOptions& options) {
  if (options.vocabulary.empty()) {
    return absl::InvalidArgumentError(
        "vocabulary: expected at least one token");
  }
  size_t bytes = 0;
  int32_t max_id = 0;
  for (const auto& [token, id] : options.vocabulary) {
    if (id < 0 || id >= kMaxVocabulary) {
      return absl::InvalidArgumentError(absl::StrCat(
          "vocabulary: token \"", Excerpt(token),
          "\": expected an id from 0 to ", kMaxVocabulary - 1, ", got ", id));
    }
    if (FindInvalidUtf8(token)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "vocabulary: token with id ", id, ": expected valid UTF-8"));
    }
    bytes += token.size();
    max_id = std::max(max_id, id);
  }
  // Reserved, so that the views into it stay valid.
  text_.reserve(bytes);
  tokens_.resize(static_cast<size_t>(max_id) + 1);
  ids_.reserve(options.vocabulary.size());
  for (const auto& [token, id] : options.vocabulary) {
    const char* start = text_.data() + text_.size();
    text_.append(token);
    const std::string_view kept(start, token.size());
    std::string_view& slot = tokens_[static_cast<size_t>(id)];
    if (slot.data() != nullptr || !ids_.emplace(ToAbsl(kept), id).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("vocabulary: token \"", Excerpt(token), "\" with id ",
                       id, ": expected each token and each id only once"));
    }
    slot = kept;
  }
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

absl::Status ByteLevelBpe::AddMerges(const ByteLevelBpeOptions& options) {
  if (options.merges.size() > std::numeric_limits<int32_t>::max() - 1) {
    return absl::InvalidArgumentError("merges: too many");
  }
  rules_.reserve(options.merges.size());
  std::string joined;
  for (size_t i = 0; i < options.merges.size(); ++i) {
    const auto& [left, right] = options.merges[i];
    joined.assign(left).append(right);
    const std::optional<int32_t> left_id = TokenToId(left);
    const std::optional<int32_t> right_id = TokenToId(right);
    const std::optional<int32_t> joined_id = TokenToId(joined);
    if (!left_id || !right_id || !joined_id) {
      const std::string& missing = !left_id ? left : !right_id ? right : joined;
      return absl::InvalidArgumentError(
          absl::StrCat("merges: number ", i, " (\"", Excerpt(left), "\" and \"",
                       Excerpt(right), "\"): \"", Excerpt(missing),
                       "\" is not in the vocabulary"));
    }
    rules_[PairKey(*left_id, *right_id)] = {static_cast<int32_t>(i),
                                            *joined_id};
  }
  return absl::OkStatus();
}

void ByteLevelBpe::FindWholeWords() {
  whole_text_.reserve(text_.size());
  Workspace workspace;
  for (size_t id = 0; id < tokens_.size(); ++id) {
    const size_t begin = whole_text_.size();
    if (tokens_[id].empty() || !AppendBytes(tokens_[id], &whole_text_))
      continue;
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
  for (const Symbol& symbol : workspace->symbols) {
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
  for (const Symbol& symbol : workspace.symbols) {
    const size_t end = begin + tokens_[static_cast<size_t>(symbol.id)].size();
    out->ids.push_back(symbol.id);
    out->offsets.push_back({spelled[begin].start, spelled[end - 1].end});
    out->words.push_back(word_index);
    begin = end;
  }
}

const ByteLevelBpe::MergeRule* ByteLevelBpe::FindRule(int32_t left,
                                                      int32_t right) const {
  const auto found = rules_.find(PairKey(left, right));
  return found == rules_.end() ? &Workspace::kNoRule : &found->second;
}

void ByteLevelBpe::Merge(std::string_view word, Workspace* workspace) const {
  workspace->symbols.clear();
  for (const char c : word) {
    const int32_t id = byte_ids_[static_cast<unsigned char>(c)];
    if (id >= 0) workspace->symbols.push_back({id, 1});
  }
  workspace->dropped = workspace->symbols.size() < word.size();
  if (workspace->symbols.size() <= kShortWord) {
    MergeShort(workspace);
  } else {
    MergeLong(workspace);
  }
}

void ByteLevelBpe::MergeShort(Workspace* workspace) const {
  std::vector<Symbol>& symbols = workspace->symbols;
  std::vector<MergeRule>& rules = workspace->rules;
  rules.clear();
  for (size_t i = 1; i < symbols.size(); ++i) {
    rules.push_back(*FindRule(symbols[i - 1].id, symbols[i].id));
  }
  while (!rules.empty()) {
    const auto best = std::min_element(
        rules.begin(), rules.end(),
        [](const MergeRule& a, const MergeRule& b) { return a.rank < b.rank; });
    if (best->id < 0) return;
    const auto i = best - rules.begin();
    const auto left = symbols.begin() + i;
    left->id = best->id;
    left->bytes += (left + 1)->bytes;
    symbols.erase(left + 1);
    rules.erase(best);
    const auto index = static_cast<size_t>(i);
    if (index > 0) {
      rules[index - 1] = *FindRule(symbols[index - 1].id, symbols[index].id);
    }
    if (index < rules.size()) {
      rules[index] = *FindRule(symbols[index].id, symbols[index + 1].id);
    }
  }
}

// n log n: candidate pairs over a linked list of symbols, those of the bytes
// sorted once, those of merged symbols in a heap. The lowest rank comes first,
// then the leftmost pair. A candidate is out of date if its pair is no longer
// there; tokens only grow, so the pair at its position then has another rank.
void ByteLevelBpe::MergeLong(Workspace* workspace) const {
  std::vector<Symbol>& symbols = workspace->symbols;
  std::vector<Workspace::Link>& links = workspace->links;
  std::vector<uint64_t>& first = workspace->first;
  std::vector<uint64_t>& later = workspace->later;
  const auto count = static_cast<uint32_t>(symbols.size());
  const auto rule_at = [&](uint32_t left) {
    return FindRule(symbols[left].id, symbols[links[left].next].id);
  };
  const auto candidate = [](const MergeRule& rule, uint32_t position) {
    return uint64_t{static_cast<uint32_t>(rule.rank)} << 32 | position;
  };
  links.resize(count);
  first.clear();
  later.clear();
  for (uint32_t i = 0; i < count; ++i) {
    links[i] = {i == 0 ? Workspace::kNone : i - 1,
                i + 1 == count ? Workspace::kNone : i + 1};
    if (i + 1 == count) break;
    const MergeRule& rule = *rule_at(i);
    if (rule.id >= 0) first.push_back(candidate(rule, i));
  }
  std::sort(first.begin(), first.end());
  const auto push = [&](uint32_t left) {
    const MergeRule& rule = *rule_at(left);
    if (rule.id < 0) return;
    later.push_back(candidate(rule, left));
    std::push_heap(later.begin(), later.end(), std::greater<>());
  };
  for (size_t taken = 0; taken < first.size() || !later.empty();) {
    const uint64_t next_best = TakeLowest(first, &taken, &later);
    const auto position = static_cast<uint32_t>(next_best);
    Symbol& left = symbols[position];
    const uint32_t next = links[position].next;
    if (left.bytes == 0 || next == Workspace::kNone) continue;
    const MergeRule& rule = *rule_at(position);
    if (candidate(rule, position) != next_best) continue;
    left.id = rule.id;
    left.bytes += symbols[next].bytes;
    symbols[next].bytes = 0;  // marks it as merged
    const uint32_t after = links[next].next;
    links[position].next = after;
    if (after != Workspace::kNone) {
      links[after].previous = position;
      push(position);
    }
    const uint32_t before = links[position].previous;
    if (before != Workspace::kNone) push(before);
  }
  std::erase_if(symbols, [](const Symbol& s) { return s.bytes == 0; });
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
  const auto found = ids_.find(ToAbsl(token));
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

std::string_view ByteLevelBpe::IdToToken(int32_t id) const {
  const auto index = static_cast<size_t>(id);
  return id >= 0 && index < tokens_.size() ? tokens_[index]
                                           : std::string_view();
}

size_t ByteLevelBpe::resident_bytes() const {
  const auto map_bytes = [](const auto& map) {
    return map.capacity() * (sizeof(*map.begin()) + 1);
  };
  return text_.capacity() + whole_text_.capacity() +
         tokens_.capacity() * sizeof(tokens_[0]) + map_bytes(ids_) +
         map_bytes(rules_) + map_bytes(whole_words_);
}

}  // namespace deberta::tokenizer
